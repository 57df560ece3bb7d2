//go:build linux

package crashtest_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

// No file system fails on demand, and a static binary loads no library that could. So a
// program is started by a launcher, which is this test binary again: it asks the kernel
// (seccomp, user notification: seccomp(2), seccomp_unotify(2)) to put certain system
// calls of the process, and of all it starts, before the test, and becomes the program.
// The test lets each go on, or answers with an error in the kernel's stead.

// launchVariable makes this test binary a launcher: it holds the numbers of the system
// calls to ask about. Descriptor 3 is then a socket to the test.
const launchVariable = "WARIFU_CRASHTEST_LAUNCH"

// launched becomes the program when this process is a launcher; it returns only when it is none.
func launched() bool {
	calls := os.Getenv(launchVariable)
	if calls == "" {
		return false
	}
	_ = os.Unsetenv(launchVariable)
	err := launch(3, strings.Split(calls, ","), os.Args[1:])
	fmt.Fprintln(os.Stderr, "crashtest launcher:", err)
	os.Exit(2)
	return true
}

func launch(socket int, calls, args []string) error {
	runtime.LockOSThread() // the filter is this thread's, and execve lives on in it
	listener, err := filterCalls(calls)
	if err != nil {
		return fmt.Errorf("seccomp: %w", err)
	}
	if err := unix.Sendmsg(socket, []byte{0}, unix.UnixRights(listener), nil, 0); err != nil {
		return fmt.Errorf("hand the listener over: %w", err)
	}
	unix.CloseOnExec(socket)
	return unix.Exec(args[0], args, os.Environ())
}

// filterCalls installs the filter and returns the descriptor at which it asks.
func filterCalls(calls []string) (int, error) {
	program := []unix.SockFilter{{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS}} // seccomp_data.nr
	for i, c := range calls {
		number, err := strconv.ParseUint(c, 10, 32)
		if err != nil {
			return 0, err
		}
		program = append(program, unix.SockFilter{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: uint32(number), Jt: uint8(len(calls) - i)})
	}
	program = append(program,
		unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ALLOW},
		unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_USER_NOTIF})
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return 0, err
	}
	code := unix.SockFprog{Len: uint16(len(program)), Filter: &program[0]}
	fd, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, unix.SECCOMP_FILTER_FLAG_NEW_LISTENER, uintptr(unsafe.Pointer(&code)))
	if errno != 0 {
		return 0, errno
	}
	return int(fd), nil
}

// question and answer are struct seccomp_notif and seccomp_notif_resp of the kernel.
type question struct {
	ID           uint64
	PID, Flags   uint32 // PID is the thread's
	Number, Arch uint32
	Instruction  uint64
	Args         [6]uint64
}

type answer struct {
	ID    uint64
	Value int64
	Error int32
	Flags uint32
}

// judged makes a command be started by the launcher; judge is asked about each of the
// system calls, and zero lets it go on.
func judged(t *testing.T, cmd *exec.Cmd, judge func(question) unix.Errno, calls ...int) {
	t.Helper()
	ends, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	must(t, err)
	theirs := os.NewFile(uintptr(ends[1]), "launcher")
	self, err := os.Executable()
	must(t, err)
	numbers := make([]string, len(calls))
	for i, c := range calls {
		numbers[i] = strconv.Itoa(c)
	}
	cmd.Path, cmd.Args = self, append([]string{self}, cmd.Args...)
	cmd.Env = append(os.Environ(), launchVariable+"="+strings.Join(numbers, ","))
	cmd.ExtraFiles = []*os.File{theirs}
	t.Cleanup(func() { _ = theirs.Close() }) // ends the wait below where nothing was launched
	go func() {
		defer func() { _ = unix.Close(ends[0]) }()
		if listener, err := receive(ends[0]); err == nil {
			decide(listener, judge)
		}
	}()
}

// receive waits for the listener of a launched process.
func receive(socket int) (int, error) {
	rights := make([]byte, unix.CmsgSpace(4))
	_, n, _, _, err := unix.Recvmsg(socket, make([]byte, 1), rights, 0)
	if err != nil {
		return 0, err
	}
	messages, err := unix.ParseSocketControlMessage(rights[:n])
	if err != nil || len(messages) != 1 {
		return 0, fmt.Errorf("no listener came: %w", err)
	}
	fds, err := unix.ParseUnixRights(&messages[0])
	if err != nil || len(fds) != 1 {
		return 0, fmt.Errorf("no listener came: %w", err)
	}
	return fds[0], nil
}

// decide answers every question until all who could ask are gone.
func decide(listener int, judge func(question) unix.Errno) {
	defer func() { _ = unix.Close(listener) }()
	for {
		poll := []unix.PollFd{{Fd: int32(listener), Events: unix.POLLIN}}
		if _, err := unix.Poll(poll, -1); err == unix.EINTR {
			continue
		}
		if poll[0].Revents&unix.POLLIN == 0 {
			return
		}
		var q question
		if !control(listener, unix.SECCOMP_IOCTL_NOTIF_RECV, unsafe.Pointer(&q)) {
			continue // whoever asked is dead
		}
		a := answer{ID: q.ID, Flags: unix.SECCOMP_USER_NOTIF_FLAG_CONTINUE}
		if errno := judge(q); errno != 0 {
			a = answer{ID: q.ID, Error: -int32(errno)}
		}
		control(listener, unix.SECCOMP_IOCTL_NOTIF_SEND, unsafe.Pointer(&a))
	}
}

func control(fd int, request uintptr, arg unsafe.Pointer) bool {
	_, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), request, uintptr(arg))
	return errno == 0
}

// proc is a path below a process's or thread's folder in /proc.
func proc(id uint32, names ...string) string {
	return filepath.Join(append([]string{"/proc", strconv.Itoa(int(id))}, names...)...)
}

// canJudge skips the test where the kernel does not let a process ask for this.
func canJudge(t *testing.T) {
	t.Helper()
	cmd := exec.Command("/bin/true")
	judged(t, cmd, func(question) unix.Errno { return 0 }, unix.SYS_FSYNC)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Skipf("this machine lets no process judge another's system calls: %v: %s", err, out)
	}
}
