// Package cluster is one control plane: etcd, kube-apiserver and kube-controller-manager with a
// folder, a port and a CA of their own.
package cluster

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"privatelink.dev/operator/tests/controlplane/internal/child"
	"privatelink.dev/operator/tests/controlplane/internal/port"
)

// Options say what is started.
type Options struct {
	// Dir is the folder, which is empty, for data, keys and logs.
	Dir string
	// Assets is the folder of the programs.
	Assets string
	// EmulatedVersion makes the API server behave like an older minor version, as "1.34".
	EmulatedVersion string
	// AuditUser is the name of a user whose every request is written down, in the file audit.log.
	AuditUser string
	// AdmissionPlugins are those that are on besides the usual ones, separated by commas.
	AdmissionPlugins string
	// Within bounds the time until it is ready.
	Within time.Duration
}

// Cluster is a control plane that runs.
type Cluster struct {
	children []*child.Child
	port     *port.Reserved
	ready    Ready
}

// Ready is what others need to use the control plane.
type Ready struct {
	// Kubeconfig is the path of the administrator's kubeconfig.
	Kubeconfig string `json:"kubeconfig"`
	// Dir is the folder of data, keys and logs.
	Dir string `json:"dir"`
	// Kubectl is the path of kubectl.
	Kubectl string `json:"kubectl"`
	// Version is the one that the API server answers with: v1.37.2.
	Version string `json:"version"`
	// Server is the URL of the API server.
	Server string `json:"server"`
	// ControllerManager is false where the folder of programs had none: then nothing deletes what
	// is in a namespace, and aggregated roles stay empty.
	ControllerManager bool `json:"controllerManager"`
	// Pids are the programs' process ids by name.
	Pids map[string]int `json:"pids"`
	// Seconds is the time from start to ready.
	Seconds float64 `json:"seconds"`
}

// Up starts a control plane and returns once it is ready; it has stopped all again if it fails.
func Up(ctx context.Context, options Options) (*Cluster, error) {
	began := time.Now()
	programs, err := find(options.Assets)
	if err != nil {
		return nil, err
	}
	late := fmt.Errorf("not ready after %s", options.Within)
	ctx, cancel := context.WithTimeoutCause(ctx, options.Within, late)
	defer cancel()
	reserved, err := port.Reserve()
	if err != nil {
		return nil, err
	}
	c := &Cluster{port: reserved, ready: Ready{
		Kubeconfig:        filepath.Join(options.Dir, adminKubeconfig),
		Dir:               options.Dir,
		Kubectl:           programs.kubectl,
		Server:            "https://" + reserved.Address(),
		ControllerManager: programs.controllerManager != "",
		Pids:              map[string]int{},
	}}
	if err := c.up(ctx, options, programs); err != nil {
		c.Down()
		return nil, err
	}
	c.ready.Seconds = time.Since(began).Seconds()
	return c, nil
}

func (c *Cluster) up(ctx context.Context, options Options, programs assets) error {
	ca, admin, err := writeFiles(options.Dir, c.ready.Server)
	if err != nil {
		return err
	}
	if options.AuditUser != "" {
		if err := writeAuditPolicy(options.Dir, options.AuditUser); err != nil {
			return err
		}
	}
	api, err := newClient(c.ready.Server, ca, admin)
	if err != nil {
		return err
	}
	defer api.http.CloseIdleConnections()

	if err := c.start("etcd", options.Dir, programs.etcd, etcdArguments()); err != nil {
		return err
	}
	listening := func(context.Context) error {
		_, err := os.Stat(filepath.Join(options.Dir, etcdClientSocket))
		return err
	}
	if err := await(ctx, "etcd's socket", c.children, listening); err != nil {
		return err
	}
	arguments := apiserverArguments(c.port.Number, options)
	if err := c.start("kube-apiserver", options.Dir, programs.apiserver, arguments); err != nil {
		return err
	}
	readyz := func(ctx context.Context) error { return api.get(ctx, "/readyz", nil) }
	if err := await(ctx, "kube-apiserver's /readyz", c.children, readyz); err != nil {
		return err
	}
	var version struct {
		GitVersion string `json:"gitVersion"`
	}
	if err := api.get(ctx, "/version", &version); err != nil {
		return err
	}
	c.ready.Version = version.GitVersion
	if !c.ready.ControllerManager {
		return nil
	}
	if err := c.start("kube-controller-manager", options.Dir, programs.controllerManager, managerArguments()); err != nil {
		return err
	}
	if err := await(ctx, "the default ServiceAccount", c.children, api.defaultAccount); err != nil {
		return err
	}
	return await(ctx, "the aggregated ClusterRole edit", c.children, api.editRole)
}

func (c *Cluster) start(name, dir, path string, arguments []string) error {
	started, err := child.Start(name, dir, path, arguments...)
	if err != nil {
		return err
	}
	c.children = append(c.children, started)
	c.ready.Pids[name] = started.Pid()
	return nil
}

// Ready tells how to use it.
func (c *Cluster) Ready() Ready { return c.ready }

// Watch returns when the context ends, with nil, or with the error of the first program that died.
func (c *Cluster) Watch(ctx context.Context) error {
	died := make(chan *child.Child, len(c.children))
	for _, one := range c.children {
		go func() {
			<-one.Done()
			died <- one
		}()
	}
	select {
	case <-ctx.Done():
		return nil
	case one := <-died:
		return one.Died()
	}
}

// Down ends all programs, the last started first, and returns when they are gone.
func (c *Cluster) Down() {
	for i := len(c.children) - 1; i >= 0; i-- {
		c.children[i].Kill()
	}
	c.port.Release()
}
