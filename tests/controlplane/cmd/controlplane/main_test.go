package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"privatelink.dev/operator/tests/controlplane/internal/cluster"
)

// goneWithin bounds every wait of these tests; what they wait for takes milliseconds.
const goneWithin = 30 * time.Second

// folderOf makes a folder in which this binary is linked under the names of programs.
func folderOf(t *testing.T, names ...string) string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	for _, name := range names {
		if err := os.Symlink(self, filepath.Join(folder, name)); err != nil {
			t.Fatal(err)
		}
	}
	return folder
}

func everything(t *testing.T) string {
	t.Helper()
	return folderOf(t, "controlplane", "etcd", "kube-apiserver", "kubectl", "kube-controller-manager")
}

// launch is a launcher that runs.
type launch struct {
	cmd    *exec.Cmd
	stdin  io.Closer
	stderr *bytes.Buffer
	ready  cluster.Ready
	temp   string
}

// prepare is the launcher of a folder with a TMPDIR of its own, not started yet.
func prepare(t *testing.T, folder string, arguments ...string) *launch {
	t.Helper()
	l := &launch{temp: t.TempDir(), stderr: &bytes.Buffer{}}
	l.cmd = exec.Command(filepath.Join(folder, "controlplane"), append([]string{"up"}, arguments...)...)
	l.cmd.Env = append(os.Environ(), "TMPDIR="+l.temp, cluster.AssetsVariable+"="+folder)
	l.cmd.Stderr = l.stderr
	stdin, err := l.cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	l.stdin = stdin
	return l
}

// up starts it and waits for its line.
func up(t *testing.T, folder string, arguments ...string) *launch {
	t.Helper()
	l := prepare(t, folder, arguments...)
	l.start(t)
	return l
}

func (l *launch) start(t *testing.T) {
	t.Helper()
	stdout, err := l.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := l.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.cmd.Process.Kill() })
	line, err := bufio.NewReader(stdout).ReadBytes('\n')
	if err != nil {
		_ = l.cmd.Wait()
		t.Fatalf("no line of readiness: %v; stderr: %s", err, l.stderr)
	}
	if err := json.Unmarshal(line, &l.ready); err != nil {
		t.Fatalf("%v in %s", err, line)
	}
}

// running tells whether a process is there and not a zombie that waits for init.
func running(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return false
	}
	_, rest, _ := bytes.Cut(stat, []byte(") "))
	return len(rest) > 0 && rest[0] != 'Z' && rest[0] != 'X'
}

func awaitGone(t *testing.T, ready cluster.Ready) {
	t.Helper()
	deadline := time.Now().Add(goneWithin)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for name, pid := range ready.Pids {
		for running(pid) {
			if time.Now().After(deadline) {
				t.Errorf("%s (process %d) outlived its launcher", name, pid)
				_ = syscall.Kill(pid, syscall.SIGKILL)
				break
			}
			<-tick.C
		}
	}
}

func assertRunning(t *testing.T, ready cluster.Ready, programs int) {
	t.Helper()
	if len(ready.Pids) != programs {
		t.Errorf("%d programs are named, want %d: %v", len(ready.Pids), programs, ready.Pids)
	}
	for name, pid := range ready.Pids {
		if !running(pid) {
			t.Errorf("%s (process %d) does not run", name, pid)
		}
	}
}

func assertEmpty(t *testing.T, folder string) {
	t.Helper()
	left, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	if len(left) > 0 {
		t.Errorf("left in the folder for temporary files: %v", left)
	}
}

func TestReadyLineTellsHowToUseIt(t *testing.T) {
	folder := everything(t)
	l := up(t, folder, "--emulated-version=1.34")
	assertRunning(t, l.ready, 3)
	if want := filepath.Join(folder, "kubectl"); l.ready.Kubectl != want {
		t.Errorf("kubectl is %s, want %s", l.ready.Kubectl, want)
	}
	if l.ready.Version != "v1.34.0" {
		t.Errorf("the API server was not told which version to emulate: %s", l.ready.Version)
	}
	if !l.ready.ControllerManager || l.ready.Seconds <= 0 {
		t.Errorf("unexpected %+v", l.ready)
	}
	content, err := os.ReadFile(l.ready.Kubeconfig)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(content), l.ready.Server) {
		t.Errorf("the kubeconfig does not name %s", l.ready.Server)
	}
	info, err := os.Stat(l.ready.Kubeconfig)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o600 {
		t.Errorf("the administrator's key is readable by others: %s", info.Mode())
	}
}

func TestEndsWithItsStdin(t *testing.T) {
	l := up(t, everything(t))
	l.stdin.Close()
	if err := l.cmd.Wait(); err != nil {
		t.Errorf("%v; stderr: %s", err, l.stderr)
	}
	awaitGone(t, l.ready)
	assertEmpty(t, l.temp)
}

func TestEndsOnSignals(t *testing.T) {
	for _, signal := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
		t.Run(signal.String(), func(t *testing.T) {
			l := up(t, everything(t))
			if err := l.cmd.Process.Signal(signal); err != nil {
				t.Fatal(err)
			}
			if err := l.cmd.Wait(); err != nil {
				t.Errorf("%v; stderr: %s", err, l.stderr)
			}
			awaitGone(t, l.ready)
			assertEmpty(t, l.temp)
		})
	}
}

func TestNothingSurvivesAKilledLauncher(t *testing.T) {
	l := up(t, everything(t))
	assertRunning(t, l.ready, 3)
	if err := l.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = l.cmd.Wait()
	awaitGone(t, l.ready)
}

// The parent is a shell that is killed; stdin is held by this test, so its end cannot be what ends
// the launcher.
func TestEndsWithItsParent(t *testing.T) {
	folder := everything(t)
	l := prepare(t, folder)
	launcher := l.cmd.Path
	shell := exec.Command("/bin/sh", "-c", `"$0" up; true`, launcher)
	shell.Env, shell.Stderr = l.cmd.Env, l.cmd.Stderr
	l.cmd = shell
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer writer.Close()
	shell.Stdin = reader
	l.start(t)
	reader.Close()
	assertRunning(t, l.ready, 3)
	if err := shell.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	awaitGone(t, l.ready)
	deadline := time.Now().Add(goneWithin)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		left, err := os.ReadDir(l.temp)
		if err != nil {
			t.Fatal(err)
		}
		if len(left) == 0 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("the launcher has not cleaned up: %v", left)
		}
		<-tick.C
	}
}

func TestProgramThatDiesAtStartIsShownWithItsLog(t *testing.T) {
	for _, name := range []string{"etcd", "kube-apiserver"} {
		t.Run(name, func(t *testing.T) {
			l := prepare(t, everything(t))
			l.cmd.Env = append(l.cmd.Env, diesVariable+"="+name)
			if err := l.cmd.Run(); err == nil {
				t.Fatal("it says that all is well")
			}
			said := l.stderr.String()
			logs, err := filepath.Glob(filepath.Join(l.temp, "*", name+".log"))
			if err != nil || len(logs) != 1 {
				t.Fatalf("logs: %v, %v", logs, err)
			}
			for _, want := range []string{name + " ended (exit status 3)", "the disk is on fire", logs[0]} {
				if !strings.Contains(said, want) {
					t.Errorf("%q is not in: %s", want, said)
				}
			}
		})
	}
}

func TestProgramThatDiesLaterEndsAll(t *testing.T) {
	l := up(t, everything(t))
	if err := syscall.Kill(l.ready.Pids["etcd"], syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if err := l.cmd.Wait(); err == nil {
		t.Error("it says that all is well")
	}
	if !strings.Contains(l.stderr.String(), "etcd ended (signal: killed)") {
		t.Errorf("stderr: %s", l.stderr)
	}
	awaitGone(t, l.ready)
}

func TestStopsBeforeItIsReady(t *testing.T) {
	l := prepare(t, everything(t))
	l.cmd.Stdin, l.stdin = nil, nil
	l.cmd.Env = append(l.cmd.Env, silentVariable+"=etcd")
	err := l.cmd.Run()
	if err == nil {
		t.Fatal("it says that all is well without a stdin to hold it")
	}
	if !strings.Contains(l.stderr.String(), "ended before it was ready: stdin ended") {
		t.Errorf("stderr: %s", l.stderr)
	}
	assertEmpty(t, l.temp)
}

func TestMissingProgramsAreNamed(t *testing.T) {
	l := prepare(t, folderOf(t, "controlplane", "etcd", "kubectl"))
	if err := l.cmd.Run(); err == nil {
		t.Fatal("it says that all is well")
	}
	for _, want := range []string{"no kube-apiserver in", "make controlplane", cluster.AssetsVariable} {
		if !strings.Contains(l.stderr.String(), want) {
			t.Errorf("%q is not in: %s", want, l.stderr)
		}
	}
}

func TestMissingControllerManagerIsSaid(t *testing.T) {
	l := up(t, folderOf(t, "controlplane", "etcd", "kube-apiserver", "kubectl"))
	assertRunning(t, l.ready, 2)
	if l.ready.ControllerManager {
		t.Error("a controller manager is claimed")
	}
	l.stdin.Close()
	if err := l.cmd.Wait(); err != nil {
		t.Error(err)
	}
	if !strings.Contains(l.stderr.String(), "no kube-controller-manager") {
		t.Errorf("stderr: %s", l.stderr)
	}
}

func TestTwoAtOnceHaveNothingInCommon(t *testing.T) {
	folder := everything(t)
	one, two := up(t, folder), up(t, folder)
	if one.ready.Server == two.ready.Server || one.ready.Dir == two.ready.Dir {
		t.Errorf("shared: %+v, %+v", one.ready, two.ready)
	}
	one.stdin.Close()
	if err := one.cmd.Wait(); err != nil {
		t.Error(err)
	}
	assertRunning(t, two.ready, 3)
}

func TestNamedFolderStays(t *testing.T) {
	named := filepath.Join(t.TempDir(), "data")
	l := up(t, everything(t), "--dir", named)
	l.stdin.Close()
	if err := l.cmd.Wait(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(filepath.Join(named, "kube-apiserver.log")); err != nil {
		t.Error(err)
	}
}

func TestWrongArgumentsAreNamed(t *testing.T) {
	for want, arguments := range map[string][]string{
		"the first argument must be `up`": {"down"},
		`unknown argument "now"`:          {"up", "now"},
		"-folder":                         {"up", "-folder", "x"},
	} {
		var stderr bytes.Buffer
		err := run(arguments, strings.NewReader(""), io.Discard, &stderr)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: %v, want %s", arguments, err, want)
		}
	}
}

// Whoever runs a test waits for this build.
func TestLauncherNeedsTheStandardLibraryOnly(t *testing.T) {
	list, err := exec.Command("go", "list", "-deps", "-f", "{{if not .Standard}}{{.ImportPath}}{{end}}", ".").Output()
	if err != nil {
		t.Fatal(err)
	}
	const own = "privatelink.dev/operator/tests/controlplane/"
	found := 0
	for path := range strings.FieldsSeq(string(list)) {
		if !strings.HasPrefix(path, own) {
			t.Errorf("imports %s", path)
		}
		found++
	}
	if found == 0 {
		t.Error("not even its own packages were listed")
	}
}
