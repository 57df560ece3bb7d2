package status_test

import (
	"context"
	"crypto"
	"io"
	"net"
	"net/http"
	"testing"

	"warifu/ocsp"
	"warifu/status"
)

func TestWhoComesAfterTheLastPlaceWaits(t *testing.T) {
	k := newKeeper(1 << 20)
	l := status.NewListener(k.Responder, k.Responder)
	l.Connections = 2
	address := listen(t, l)
	question := get(pathOf(ask(t, []ocsp.CertID{certID(crypto.SHA256, 1)}, nil)))
	answered := func(c net.Conn, in io.ByteReader) {
		t.Helper()
		if _, err := io.WriteString(c, question); err != nil {
			t.Fatal(err)
		}
		if b, err := in.ReadByte(); err != nil || b != 'H' {
			t.Fatal(b, err)
		}
	}
	first, in1 := dial(t, address)
	answered(first, in1)
	second, in2 := dial(t, address)
	if _, err := io.WriteString(second, "HEAD / HTTP/1.1\r\nHost: h\r\n\r\n"); err != nil { // net/http's from here on: it keeps its place
		t.Fatal(err)
	}
	if b, err := in2.ReadByte(); err != nil || b != 'H' {
		t.Fatal(b, err)
	}
	third, in3 := dial(t, address) // the kernel takes it, the listener does not yet
	done := make(chan struct{})
	go func() {
		defer close(done)
		answered(third, in3)
	}()
	select {
	case <-done:
		t.Fatal("a third was served in two places")
	default:
	}
	_ = first.Close()
	<-done
}

// TestTheEndFinishesWhatIsUnderWay and closes what is silent.
func TestTheEndFinishesWhatIsUnderWay(t *testing.T) {
	k := newKeeper(1 << 20)
	hold := make(chan struct{})
	asked := make(chan struct{}, 8)
	k.source.asked = func() { asked <- struct{}{} }
	k.signer.key = waiting{k.signer.key, hold}
	socket, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, end := context.WithCancel(t.Context())
	served := make(chan error, 1)
	l := status.NewListener(k.Responder, k.Responder)
	go func() { served <- l.Serve(ctx, socket) }()
	silent, _ := dial(t, socket.Addr().String())
	conn, in := dial(t, socket.Addr().String())
	if _, err := io.WriteString(conn, get(pathOf(ask(t, []ocsp.CertID{certID(crypto.SHA256, 1)}, nil)))); err != nil {
		t.Fatal(err)
	}
	<-asked
	end()
	close(hold)
	r, err := http.ReadResponse(in, nil)
	if err != nil {
		t.Fatal(err)
	}
	if der, err := io.ReadAll(r.Body); err != nil || statusOf(t, der, 1).Status != good {
		t.Error(err)
	}
	if err := <-served; err != nil {
		t.Error(err)
	}
	if n, err := silent.Read(make([]byte, 1)); err == nil {
		t.Error("a silent connection was told something:", n)
	}
	if c, err := net.Dial("tcp", socket.Addr().String()); err == nil {
		_ = c.Close()
		t.Error("it still listens")
	}
}

// TestAHeadThatNeverEndsIsCutOff: what is sent octet by octet gets no more time for each.
func TestAHeadThatNeverEndsIsCutOff(t *testing.T) {
	moved := &deadlines{Conn: quiet{}}
	status.DripHead(moved, "GET /ocsp/signature/", 20)
	if moved.set != 2 { // when the connection began, and when the head did
		t.Errorf("the deadline was moved %d times", moved.set)
	}
}

// FuzzPlainGET: what the listener takes for a
// plain GET net/http takes for the same.
func FuzzPlainGET(f *testing.F) {
	f.Add([]byte("GET /ocsp/signature/MA== HTTP/1.1\r\nHost: h\r\nUser-Agent: x\r\n\r\n"))
	f.Add([]byte("GET /a HTTP/1.1\r\nHost: [::1]:80\r\nCache-Control: no-cache\r\n\r\nGET /b HTTP/1.1\r\n\r\n"))
	f.Add([]byte("GET /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"))
	f.Fuzz(func(t *testing.T, in []byte) {
		path, size, ok := status.PlainGET(in)
		if !ok {
			return
		}
		r, rest, err := readRequest(in)
		if err != nil || r.Method != http.MethodGet || r.ContentLength != 0 || len(r.TransferEncoding) != 0 || r.Close || rest != len(in)-size {
			t.Fatalf("%v %+v: %d octets are left, not %d", err, r, rest, len(in)-size)
		}
		for _, name := range []string{"If-None-Match", "Range", "Expect", "Upgrade", "Content-Length", "Te"} {
			if r.Header.Get(name) != "" {
				t.Fatal(name)
			}
		}
		if r.RequestURI != string(path) {
			t.Fatalf("%q, not %q", path, r.RequestURI)
		}
	})
}
