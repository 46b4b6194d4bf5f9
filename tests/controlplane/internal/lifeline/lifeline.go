// Package lifeline tells when whoever started this process wants it to end, or is gone.
package lifeline

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

// sysPidfdOpen is pidfd_open(2), which has this number on every architecture of Linux.
const sysPidfdOpen = 434

// Hold returns a context that ends, with the reason as its cause, when stdin ends, on SIGINT and
// SIGTERM, and when the parent process dies. Stdin alone would do for a parent that holds a pipe;
// a terminal or an inherited pipe may outlive the parent.
func Hold(stdin io.Reader) (context.Context, error) {
	held, let := context.WithCancelCause(context.Background())
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM)
	go func() { let(fmt.Errorf("signal: %s", <-signals)) }()
	go func() {
		// Whatever is written there means nothing; an error is an end too.
		_, _ = io.Copy(io.Discard, stdin)
		let(errors.New("stdin ended"))
	}()
	parent := os.Getppid()
	if parent == 0 {
		// Started from outside this PID namespace: there is no parent to be seen.
		return held, nil
	}
	watch, err := watchExit(parent)
	switch {
	case os.Getppid() != parent:
		let(errors.New("the parent process died"))
	case err != nil:
		return nil, fmt.Errorf("watch parent process %d: %w", parent, err)
	default:
		go func() { let(watch()) }()
	}
	return held, nil
}

// watchExit returns a function that returns when the process has ended, with that as an error.
func watchExit(pid int) (func() error, error) {
	pidfd, _, errno := syscall.Syscall(sysPidfdOpen, uintptr(pid), 0, 0)
	if errno != 0 {
		return nil, os.NewSyscallError("pidfd_open", errno)
	}
	epoll, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
	if err != nil {
		return nil, os.NewSyscallError("epoll_create1", err)
	}
	// A pidfd becomes readable when its process ends.
	event := syscall.EpollEvent{Events: syscall.EPOLLIN}
	if err := syscall.EpollCtl(epoll, syscall.EPOLL_CTL_ADD, int(pidfd), &event); err != nil {
		return nil, os.NewSyscallError("epoll_ctl", err)
	}
	return func() error {
		for {
			n, err := syscall.EpollWait(epoll, make([]syscall.EpollEvent, 1), -1)
			switch {
			case n > 0:
				return errors.New("the parent process died")
			case err != nil && err != syscall.EINTR:
				return os.NewSyscallError("epoll_wait", err)
			}
		}
	}, nil
}
