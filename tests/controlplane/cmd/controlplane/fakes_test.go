package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestMain makes this binary act as the programs that it is linked as: the launcher itself, and
// stand-ins for those it starts, which need no build and no second to start.
func TestMain(m *testing.M) {
	switch filepath.Base(os.Args[0]) {
	case "controlplane":
		main()
	case "etcd":
		fakeEtcd()
	case "kube-apiserver":
		fakeAPIServer()
	case "kube-controller-manager":
		block()
	default:
		os.Exit(m.Run())
	}
}

const (
	// diesVariable names a program that is to fail at its start.
	diesVariable = "FAKE_DIES"
	// silentVariable names a program that is to start and never get ready.
	silentVariable = "FAKE_SILENT"
)

func failIfTold(name string) {
	if os.Getenv(silentVariable) == name {
		block()
	}
	if os.Getenv(diesVariable) == name {
		fmt.Fprintf(os.Stderr, "%s: the disk is on fire\n", name)
		os.Exit(3)
	}
}

func fakeEtcd() {
	failIfTold("etcd")
	if _, err := net.Listen("unix", strings.TrimPrefix(argument("--listen-client-urls"), "unix://")); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	block()
}

// fakeAPIServer answers what the launcher asks; its version is the one that it was told to emulate.
func fakeAPIServer() {
	failIfTold("kube-apiserver")
	sharing := net.ListenConfig{Control: func(_, _ string, raw syscall.RawConn) error {
		const soReusePort = 0xf
		return raw.Control(func(fd uintptr) {
			_ = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, soReusePort, 1)
		})
	}}
	listener, err := sharing.Listen(context.Background(), "tcp", argument("--bind-address")+":"+argument("--secure-port"))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	pair, err := tls.LoadX509KeyPair(argument("--tls-cert-file"), argument("--tls-private-key-file"))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	answers := map[string]string{
		"/readyz":  "ok",
		"/version": fmt.Sprintf(`{"gitVersion":"v%s.0"}`, argument("--emulated-version")),
		"/api/v1/namespaces/default/serviceaccounts/default":   `{}`,
		"/apis/rbac.authorization.k8s.io/v1/clusterroles/edit": `{"rules":[{}]}`,
	}
	server := http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer, found := answers[r.URL.Path]
		if !found {
			w.WriteHeader(http.StatusNotFound)
		}
		fmt.Fprint(w, answer)
	})}
	secure := tls.NewListener(listener, &tls.Config{Certificates: []tls.Certificate{pair}})
	fmt.Fprintln(os.Stderr, server.Serve(secure))
	os.Exit(1)
}

// argument is the value of --name=value, or empty.
func argument(name string) string {
	for _, one := range os.Args[1:] {
		if value, found := strings.CutPrefix(one, name+"="); found {
			return value
		}
	}
	return ""
}

// block waits for ever. It is not a bare select: without other goroutines that is a deadlock.
func block() {
	reader, _, err := os.Pipe()
	if err != nil {
		os.Exit(1)
	}
	_, _ = reader.Read(make([]byte, 1))
}
