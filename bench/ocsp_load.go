package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"math/big"
	"math/rand/v2"
	"net"
	"net/url"
	"strconv"
	"time"

	"warifu/profile"
)

// loaded is what a round cost: µs of the process's CPU and of the clock on the wall, a request.
type loaded struct{ cpu, wall float64 }

func serialNumber(c profile.SerialCipher, index uint64) *big.Int {
	return new(big.Int).SetBytes(c.Serial(index))
}

// appendGET appends a request as clients send it (RFC 9919 §5).
func appendGET(b []byte, path string, der []byte) []byte {
	b = append(append(b, "GET "...), path...)
	b = append(b, url.PathEscape(base64.StdEncoding.EncodeToString(der))...)
	return append(b, " HTTP/1.1\r\nHost: status.example.jp\r\nAccept: application/ocsp-response\r\n\r\n"...)
}

// appendPadded appends a request for nginx's file of that length.
func appendPadded(b []byte, length int) []byte {
	const head, tail = "GET /answer?", " HTTP/1.1\r\nHost: status.example.jp\r\nAccept: application/ocsp-response\r\n\r\n"
	b = append(b, head...)
	b = append(b, bytes.Repeat([]byte{'M'}, max(0, length-len(head)-len(tail)))...)
	return append(b, tail...)
}

// hammer sends requests over connections that stay open, one at a time on each, and reads
// the answers whole; each is 200 and, where size is given, of about that size.
func hammer(ctx context.Context, p *process, address string, requests int, make func([]byte, uint64) []byte, size int) (loaded, error) {
	before, err := p.cpu()
	if err != nil {
		return loaded{}, err
	}
	began := time.Now()
	err = each(ocspConnections, func(i int) error {
		c, err := net.Dial("tcp", address)
		if err != nil {
			return err
		}
		defer c.Close()
		random := rand.New(rand.NewPCG(uint64(i), rand.Uint64()))
		in := bufio.NewReaderSize(c, 8<<10)
		var buffer, body []byte
		for range requests / ocspConnections {
			buffer = make(buffer[:0], random.Uint64())
			if _, err := c.Write(buffer); err != nil {
				return err
			}
			if body, err = readAnswer(in, body); err != nil {
				return err
			}
			if size > 0 && (len(body) < size-4 || len(body) > size+40) { // revoked ones say when
				return fmt.Errorf("%d octets came, not %d", len(body), size)
			}
		}
		return ctx.Err()
	})
	wall := time.Since(began)
	after, failed := p.cpu()
	if err == nil {
		err = failed
	}
	n := float64(requests / ocspConnections * ocspConnections)
	return loaded{cpu: float64((after - before).Nanoseconds()) / 1e3 / n, wall: float64(wall.Nanoseconds()) / 1e3 / n}, err
}

// readAnswer reads an answer into body.
func readAnswer(in *bufio.Reader, body []byte) ([]byte, error) {
	length := -1
	for first := true; ; first = false {
		line, err := in.ReadSlice('\n')
		if err != nil {
			return nil, err
		}
		if first && !bytes.HasPrefix(line, []byte("HTTP/1.1 200 ")) {
			return nil, fmt.Errorf("%.80s", line)
		}
		if value, ok := bytes.CutPrefix(line, []byte("Content-Length: ")); ok {
			if length, err = strconv.Atoi(string(bytes.TrimSpace(value))); err != nil {
				return nil, err
			}
		}
		if len(line) == 2 {
			break
		}
	}
	if length < 0 || length > 1<<20 {
		return nil, fmt.Errorf("an answer of %d octets", length)
	}
	if cap(body) < length {
		body = make([]byte, length)
	}
	body = body[:length]
	_, err := io.ReadFull(in, body)
	return body, err
}

// askOnce sends one request and returns its answer.
func askOnce(address string, request []byte) ([]byte, error) {
	c, err := net.Dial("tcp", address)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	if _, err := c.Write(request); err != nil {
		return nil, err
	}
	return readAnswer(bufio.NewReader(c), nil)
}
