// Package controlplane_test checks the build script and what it pins.
package controlplane_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
)

// build runs the script with a cache of its own and only these of the variables that it looks at.
func build(t *testing.T, cache string, variables []string, arguments ...string) (stdout, stderr string, err error) {
	t.Helper()
	cmd := exec.Command("./build", arguments...)
	for _, variable := range os.Environ() {
		if !strings.HasPrefix(variable, "KUBEBUILDER_ASSETS=") && !strings.HasPrefix(variable, "KUBECONFIG=") {
			cmd.Env = append(cmd.Env, variable)
		}
	}
	// What Go compiled before stays in use: its cache follows XDG_CACHE_HOME too.
	compiled, err := exec.Command("go", "env", "GOCACHE").Output()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Env = append(cmd.Env, "GOCACHE="+strings.TrimSpace(string(compiled)), "XDG_CACHE_HOME="+cache)
	cmd.Env = append(cmd.Env, variables...)
	var out, errors bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errors
	err = cmd.Run()
	return strings.TrimSpace(out.String()), errors.String(), err
}

func TestWhereNamesTheCommandIfNothingIsBuilt(t *testing.T) {
	cache := t.TempDir()
	_, stderr, err := build(t, cache, nil, "--where")
	if err == nil || !strings.Contains(stderr, "make controlplane") {
		t.Errorf("%v: %s", err, stderr)
	}
	if left, _ := os.ReadDir(cache); len(left) > 0 {
		t.Errorf("--where made %v", left)
	}
}

func TestOtherProgramsAreNotBuiltAgain(t *testing.T) {
	for _, variable := range []string{"KUBEBUILDER_ASSETS=/elsewhere", "KUBECONFIG=/elsewhere/config"} {
		t.Run(variable, func(t *testing.T) {
			cache := t.TempDir()
			// Two at once build it once and tell the same.
			var folders [2]string
			var wait sync.WaitGroup
			for i := range folders {
				wait.Go(func() {
					folder, stderr, err := build(t, cache, []string{variable})
					if err != nil {
						t.Errorf("%v: %s", err, stderr)
					}
					folders[i] = folder
				})
			}
			wait.Wait()
			if folders[0] != folders[1] || !strings.HasPrefix(folders[0], cache) {
				t.Fatalf("built in %q", folders)
			}
			entries, err := os.ReadDir(folders[0])
			if err != nil {
				t.Fatal(err)
			}
			if len(entries) != 1 || entries[0].Name() != "controlplane" {
				t.Errorf("built %v, want the launcher only", entries)
			}
			where, stderr, err := build(t, cache, []string{variable}, "--where")
			if err != nil || where != folders[0] {
				t.Errorf("--where: %q, %v, %s", where, err, stderr)
			}
			if err := exec.Command(filepath.Join(where, "controlplane"), "up", "-h").Run(); err != nil {
				t.Errorf("what was built does not run: %v", err)
			}
			if _, _, err := build(t, cache, nil, "--where"); err == nil {
				t.Error("a folder without a control plane passes for one that has it")
			}
		})
	}
}

func TestUnknownArgumentIsNamed(t *testing.T) {
	_, stderr, err := build(t, t.TempDir(), nil, "--force")
	if err == nil || !strings.Contains(stderr, "unknown argument --force") {
		t.Errorf("%v: %s", err, stderr)
	}
}

// An upgrade that forgets a staging module builds a Kubernetes that never was.
func TestStagingModulesAreOfTheSameRelease(t *testing.T) {
	content, err := os.ReadFile("go.mod")
	if err != nil {
		t.Fatal(err)
	}
	release := regexp.MustCompile(`(?m)^\tk8s\.io/kubernetes v1\.(\S+)$`).FindSubmatch(content)
	if release == nil {
		t.Fatal("go.mod does not require k8s.io/kubernetes")
	}
	want := "v0." + string(release[1])
	replaced := regexp.MustCompile(`(?m)^\t(k8s\.io/\S+) => (\S+) (\S+)$`).FindAllSubmatch(content, -1)
	if len(replaced) < 30 {
		t.Errorf("only %d staging modules are replaced", len(replaced))
	}
	for _, one := range replaced {
		if string(one[1]) != string(one[2]) || string(one[3]) != want {
			t.Errorf("%s is replaced by %s %s, want its own %s", one[1], one[2], one[3], want)
		}
	}
}
