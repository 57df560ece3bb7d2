package timestamp_test

import (
	"bytes"
	"crypto"
	"crypto/sha256"
	"math/big"
	"testing"
	"time"

	other "github.com/digitorus/timestamp"

	"warifu"
	"warifu/timestamp"
)

// A second implementation asks our authority and reads its answer.
func TestAnotherLibraryBelievesOurTokens(t *testing.T) {
	a := appointed(t, now, 0)
	for _, certificates := range []bool{true, false} {
		asked, err := other.CreateRequest(bytes.NewReader(text), &other.RequestOptions{Hash: crypto.SHA256, Certificates: certificates})
		if err != nil {
			t.Fatal(err)
		}
		question, err := timestamp.ParseRequest(asked)
		if err != nil {
			t.Fatal(err)
		}
		at := now.Add(time.Minute)
		der, err := a.signer.Answer(question, at, big.NewInt(1<<40))
		if err != nil {
			t.Fatal(err)
		}
		read, err := other.ParseResponse(der)
		if err != nil {
			t.Fatalf("certificates %v: %v", certificates, err)
		}
		digest := sha256.Sum256(text)
		if !bytes.Equal(read.HashedMessage, digest[:]) || !read.Time.Equal(at) || read.SerialNumber.Cmp(big.NewInt(1<<40)) != 0 || read.Accuracy != time.Second ||
			!read.Policy.Equal(timestamp.Policy) || len(read.Certificates) > 0 != certificates {
			t.Errorf("certificates %v: they read %+v", certificates, read)
		}
	}
	if _, err := other.ParseResponse(timestamp.Refusal(timestamp.BadAlgorithm)); err == nil {
		t.Error("they read a token in a refusal")
	}
}

// Its tokens are outside our subset or inside it, and never believed for what they are not.
func TestWeReadAnotherLibrarysTokens(t *testing.T) {
	a := appointed(t, now, 0)
	digest := sha256.Sum256(text)
	made := other.Timestamp{
		HashAlgorithm: crypto.SHA256, HashedMessage: digest[:], Time: now.Add(time.Minute), Policy: timestamp.Policy, SerialNumber: big.NewInt(9),
		AddTSACertificate: true, Accuracy: time.Second, Nonce: big.NewInt(5),
	}
	der, err := made.CreateResponseWithOpts(a.signer.Certificate, a.signer.Key, crypto.SHA256)
	if err != nil {
		t.Fatal(err)
	}
	question := &timestamp.Request{Imprint: digest, Nonce: big.NewInt(5), Certificates: true}
	token, err := timestamp.ParseAnswer(der, question)
	if err != nil {
		t.Fatal(err)
	}
	if err := token.Verify(timestamp.NewAnchors(a.root), digest); err != nil {
		t.Error(err)
	}
	if err := token.Verify(timestamp.NewAnchors(appointed(t, now, 0).root), digest); warifu.ProblemOf(err).Problem != "timestamp-untrusted" {
		t.Errorf("another root: %v", err)
	}
	question.Nonce = big.NewInt(6)
	if _, err := timestamp.ParseAnswer(der, question); warifu.ProblemOf(err).Problem != "timestamp-mismatch" {
		t.Errorf("another nonce: %v", err)
	}
}
