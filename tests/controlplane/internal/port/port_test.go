package port

import (
	"context"
	"net"
	"syscall"
	"testing"
)

func TestReservedPortIsKeptFromOthersAndSharedOnRequest(t *testing.T) {
	reserved, err := Reserve()
	if err != nil {
		t.Fatal(err)
	}
	if taken, err := net.Listen("tcp", reserved.Address()); err == nil {
		taken.Close()
		t.Fatal("another program took the reserved port")
	}
	sharing := net.ListenConfig{Control: func(_, _ string, raw syscall.RawConn) error {
		return raw.Control(func(fd uintptr) {
			if err := syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, soReusePort, 1); err != nil {
				t.Error(err)
			}
		})
	}}
	server, err := sharing.Listen(context.Background(), "tcp", reserved.Address())
	if err != nil {
		t.Fatalf("the program that it was reserved for cannot bind it: %v", err)
	}
	defer server.Close()
	client, err := net.Dial("tcp", reserved.Address())
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	accepted, err := server.Accept()
	if err != nil {
		t.Fatal(err)
	}
	accepted.Close()
	reserved.Release()
}

func TestReservedPortsDiffer(t *testing.T) {
	seen := map[int]bool{}
	for range 50 {
		reserved, err := Reserve()
		if err != nil {
			t.Fatal(err)
		}
		defer reserved.Release()
		if seen[reserved.Number] {
			t.Fatalf("port %d was reserved twice", reserved.Number)
		}
		seen[reserved.Number] = true
	}
}
