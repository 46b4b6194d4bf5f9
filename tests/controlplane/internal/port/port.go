// Package port reserves a TCP port on the loopback address for a program that is started later.
package port

import (
	"fmt"
	"net"
	"os"
	"strconv"
	"syscall"
)

// soReusePort is SO_REUSEPORT, which package syscall lacks on some architectures of Linux.
const soReusePort = 0xf

// Reserved is a port that no other program can take, save one that asks to share ports and belongs
// to the same user. It accepts no connection by itself.
type Reserved struct {
	// Number is the port.
	Number int
	socket *os.File
}

// Reserve takes a free port of 127.0.0.1. Asking for a free port, closing it and hoping that
// nobody takes it before the program binds it goes wrong as soon as two runs start at once.
func Reserve() (*Reserved, error) {
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("socket: %w", err)
	}
	socket := os.NewFile(uintptr(fd), "reserved port")
	number, err := bind(fd)
	if err != nil {
		socket.Close()
		return nil, fmt.Errorf("reserve a port of 127.0.0.1: %w", err)
	}
	return &Reserved{Number: number, socket: socket}, nil
}

func bind(fd int) (int, error) {
	if err := syscall.SetsockoptInt(fd, syscall.SOL_SOCKET, soReusePort, 1); err != nil {
		return 0, err
	}
	if err := syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		return 0, err
	}
	address, err := syscall.Getsockname(fd)
	if err != nil {
		return 0, err
	}
	return address.(*syscall.SockaddrInet4).Port, nil
}

// Address is host:port.
func (r *Reserved) Address() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(r.Number)) }

// Release gives the port back.
func (r *Reserved) Release() { r.socket.Close() }
