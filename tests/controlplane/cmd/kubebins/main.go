//go:build kubebins

// Command kubebins is kube-apiserver, kube-controller-manager, kubectl, etcd and helm in one binary,
// which acts as the one that it is called by: by the name of a link to it, or by its first argument.
// One binary compiles, links and stores what the five share only once.
//
// The build tag keeps it out of `./...`: its first build takes minutes, those of the launcher and
// its tests take seconds. `go mod tidy` looks past tags, so go.mod still holds what it imports.
package main

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sort"
	"strings"
	_ "time/tzdata" // schedules name time zones, also on machines without their database

	"go.etcd.io/etcd/server/v3/etcdmain"
	helm "helm.sh/helm/v4/pkg/cmd"
	helmkube "helm.sh/helm/v4/pkg/kube"
	_ "k8s.io/client-go/plugin/pkg/client/auth" // kubectl's ways to log in
	"k8s.io/component-base/cli"
	_ "k8s.io/component-base/metrics/prometheus/clientgo" // the servers' own metrics, as upstream links them
	_ "k8s.io/component-base/metrics/prometheus/version"
	"k8s.io/kubectl/pkg/cmd"
	cmdutil "k8s.io/kubectl/pkg/cmd/util"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	controllermanager "k8s.io/kubernetes/cmd/kube-controller-manager/app"
)

// binaries are the programs by name. Each reads os.Args, in which [0] is its own name.
var binaries = map[string]func(){
	"kube-apiserver":          func() { os.Exit(cli.Run(apiserver.NewAPIServerCommand())) },
	"kube-controller-manager": func() { os.Exit(cli.Run(controllermanager.NewControllerManagerCommand())) },
	"kubectl": func() {
		if err := cli.RunNoErrOutput(cmd.NewDefaultKubectlCommand()); err != nil {
			cmdutil.CheckErr(err)
		}
	},
	"etcd": func() { etcdmain.Main(os.Args) },
	"helm": runHelm,
}

// runHelm is what Helm's own main does.
func runHelm() {
	// Otherwise the fields that it applies would be owned by "kubebins".
	helmkube.ManagedFieldsManager = "helm"
	command, err := helm.NewRootCmd(os.Stdout, os.Args[1:], helm.SetupLogging)
	if err != nil {
		slog.Warn("command failed", slog.Any("error", err))
		os.Exit(1)
	}
	if err := command.Execute(); err != nil {
		if failed, ok := errors.AsType[helm.CommandError](err); ok {
			os.Exit(failed.ExitCode)
		}
		os.Exit(1)
	}
	os.Exit(0)
}

func main() {
	if run, found := binaries[filepath.Base(os.Args[0])]; found {
		run()
		return
	}
	if len(os.Args) > 1 {
		if run, found := binaries[os.Args[1]]; found {
			os.Args = os.Args[1:]
			run()
			return
		}
	}
	names := make([]string, 0, len(binaries))
	for name := range binaries {
		names = append(names, name)
	}
	sort.Strings(names)
	fmt.Fprintf(os.Stderr, "usage: kubebins <%s> [arguments], or call it by a link of that name\n", strings.Join(names, "|"))
	os.Exit(2)
}
