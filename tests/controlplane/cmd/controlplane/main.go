// Command controlplane starts a Kubernetes control plane for tests and stops all of it when it is
// told to, when whoever started it is gone, and when it is killed itself.
//
// It needs nothing but the standard library, so that it compiles in seconds.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"privatelink.dev/operator/tests/controlplane/internal/cluster"
	"privatelink.dev/operator/tests/controlplane/internal/lifeline"
	"privatelink.dev/operator/tests/controlplane/internal/workdir"
)

const usage = `usage: controlplane up [flags]

Starts etcd, kube-apiserver and kube-controller-manager, and prints one line of JSON when they are
ready: kubeconfig, dir, kubectl, version, server, controllerManager, pids, seconds. Hold its stdin
open: all is stopped when stdin ends, on SIGTERM and SIGINT, and when the parent process dies.

`

func main() {
	if err := run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "controlplane:", err)
		os.Exit(1)
	}
}

func run(arguments []string, stdin io.Reader, stdout, stderr io.Writer) error {
	flags := flag.NewFlagSet("controlplane up", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Usage = func() {
		fmt.Fprint(stderr, usage)
		flags.PrintDefaults()
	}
	dir := flags.String("dir", "", "empty or new `folder` for data, keys and logs, which stays; not set: a temporary one, which is removed at the end")
	emulated := flags.String("emulated-version", "", "minor `version` that the API server emulates, as 1.34")
	audited := flags.String("audit-user", "", "`name` of a user whose requests are written to audit.log in the folder, with how each was decided")
	plugins := flags.String("admission-plugins", "", "`names` of admission plugins that are on besides the usual ones, separated by commas")
	assets := flags.String("assets", defaultAssets(), "`folder` of etcd, kube-apiserver, kubectl and kube-controller-manager; default: $"+cluster.AssetsVariable+", or this program's own folder")
	within := flags.Duration("timeout", 2*time.Minute, "`time` until it must be ready")
	if len(arguments) == 0 || arguments[0] != "up" {
		flags.Usage()
		return fmt.Errorf("the first argument must be `up`")
	}
	if err := flags.Parse(arguments[1:]); errors.Is(err, flag.ErrHelp) {
		return nil
	} else if err != nil {
		return err
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("unknown argument %q: `up` takes only flags", flags.Arg(0))
	}
	held, err := lifeline.Hold(stdin)
	if err != nil {
		return err
	}
	folder, err := makeFolder(*dir, stderr)
	if err != nil {
		return err
	}
	options := cluster.Options{
		Dir: folder.Path, Assets: *assets, EmulatedVersion: *emulated, AuditUser: *audited, AdmissionPlugins: *plugins, Within: *within,
	}
	running, err := cluster.Up(held, options)
	if err != nil && held.Err() != nil {
		return errors.Join(fmt.Errorf("ended before it was ready: %w", context.Cause(held)), folder.Remove())
	}
	if err != nil {
		// The folder stays, for its logs; if it is temporary a later start removes it.
		return err
	}
	failure := serve(held, running, stdout, stderr)
	running.Down()
	if failure != nil {
		return failure
	}
	return folder.Remove()
}

// serve says that the control plane is ready, and returns when it is to end.
func serve(held context.Context, running *cluster.Cluster, stdout, stderr io.Writer) error {
	ready := running.Ready()
	if !ready.ControllerManager {
		fmt.Fprintln(stderr, "controlplane: no kube-controller-manager in the folder of programs: deleted namespaces stay, aggregated ClusterRoles are empty, owners' objects are not collected")
	}
	if err := json.NewEncoder(stdout).Encode(ready); err != nil {
		return fmt.Errorf("tell that it is ready: %w", err)
	}
	return running.Watch(held)
}

func makeFolder(named string, stderr io.Writer) (*workdir.Dir, error) {
	if named != "" {
		return workdir.Named(named)
	}
	base := os.TempDir()
	if err := workdir.Sweep(base); err != nil {
		fmt.Fprintln(stderr, "controlplane: cannot remove all that killed runs left:", err)
	}
	return workdir.Temporary(base)
}

func defaultAssets() string {
	if set := os.Getenv(cluster.AssetsVariable); set != "" {
		return set
	}
	self, err := os.Executable()
	if err != nil {
		return "."
	}
	return filepath.Dir(self)
}
