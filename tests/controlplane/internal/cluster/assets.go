package cluster

import (
	"fmt"
	"os"
	"path/filepath"
)

// AssetsVariable names the folder of other binaries than the ones this module builds, as the test
// environment of controller-runtime does.
const AssetsVariable = "KUBEBUILDER_ASSETS"

// assets are the paths of the programs.
type assets struct {
	etcd, apiserver, kubectl string
	// controllerManager is empty where the folder has none.
	controllerManager string
}

// find takes the programs of a folder. Only kube-controller-manager may be missing: folders made
// for controller-runtime have none.
func find(dir string) (assets, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return assets{}, err
	}
	path := func(name string) (string, error) {
		path := filepath.Join(dir, name)
		info, err := os.Stat(path)
		if err != nil {
			return "", fmt.Errorf("no %s in %s: run `make controlplane` to build it, or set %s to a folder that has etcd, kube-apiserver and kubectl", name, dir, AssetsVariable)
		}
		if info.IsDir() || info.Mode()&0o111 == 0 {
			return "", fmt.Errorf("%s is not a program", path)
		}
		return path, nil
	}
	var found assets
	if found.etcd, err = path("etcd"); err != nil {
		return assets{}, err
	}
	if found.apiserver, err = path("kube-apiserver"); err != nil {
		return assets{}, err
	}
	if found.kubectl, err = path("kubectl"); err != nil {
		return assets{}, err
	}
	if manager := filepath.Join(dir, "kube-controller-manager"); exists(manager) {
		if found.controllerManager, err = path("kube-controller-manager"); err != nil {
			return assets{}, err
		}
	}
	return found, nil
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
