// Package child starts programs that cannot outlive this process: the kernel kills them when it
// ends, however it ends.
package child

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
)

// tailBytes is how much of a log is shown when its program died: enough for a stack trace.
const tailBytes = 4096

// Child is a started program.
type Child struct {
	// Name is what the program is called in messages.
	Name string
	// Log is the path of the file that takes what the program prints.
	Log  string
	cmd  *exec.Cmd
	done chan struct{}
}

// starts carries the commands to the one thread that starts them.
var starts = make(chan func())

func init() {
	go func() {
		// "Parent" in PR_SET_PDEATHSIG is the thread that forked, not its process: a thread that
		// the runtime retires would take the children with it. This one is never given back.
		runtime.LockOSThread()
		for start := range starts {
			start()
		}
	}()
}

// Start starts the program at path with its output in <dir>/<name>.log and dir as its folder.
func Start(name, dir, path string, args ...string) (*Child, error) {
	log, err := os.Create(filepath.Join(dir, name+".log"))
	if err != nil {
		return nil, fmt.Errorf("log of %s: %w", name, err)
	}
	defer log.Close()
	cmd := exec.Command(path, args...)
	cmd.Dir = dir
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Pdeathsig: syscall.SIGKILL,
		// Ctrl-C in a terminal goes to the whole group: only the launcher is to hear it.
		Setpgid: true,
	}
	started := make(chan error)
	starts <- func() { started <- cmd.Start() }
	if err := <-started; err != nil {
		return nil, fmt.Errorf("%s does not start: %w", name, err)
	}
	child := &Child{Name: name, Log: log.Name(), cmd: cmd, done: make(chan struct{})}
	go func() {
		// How it ended is read from ProcessState; Wait's error says the same in fewer words.
		_ = cmd.Wait()
		close(child.done)
	}()
	return child, nil
}

// Pid is the program's process id.
func (c *Child) Pid() int { return c.cmd.Process.Pid }

// Done is closed when the program has ended.
func (c *Child) Done() <-chan struct{} { return c.done }

// Kill ends the program and returns when it is gone. Its data is thrown away, so it is not asked
// first: a graceful end of an API server takes seconds.
func (c *Child) Kill() {
	// The only failure is that it has ended already.
	_ = c.cmd.Process.Kill()
	<-c.done
}

// Died is the error for a program that ended by itself, with the last lines it printed.
// It may only be called after Done is closed.
func (c *Child) Died() error {
	return fmt.Errorf("%s ended (%s); its log is %s and ends with:\n%s", c.Name, c.cmd.ProcessState, c.Log, c.tail())
}

func (c *Child) tail() []byte {
	log, err := os.ReadFile(c.Log)
	if err != nil {
		return []byte(err.Error())
	}
	if len(log) > tailBytes {
		log = log[len(log)-tailBytes:]
		if cut := bytes.IndexByte(log, '\n'); cut >= 0 {
			log = log[cut+1:]
		}
	}
	return bytes.TrimRight(log, "\n")
}
