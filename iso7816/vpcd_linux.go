package iso7816

import "syscall"

// acknowledgePromptly asks the kernel not to delay the next acknowledgement. The reader
// writes each message in two pieces and waits for the first to be acknowledged (RFC 896),
// which would cost 40 ms a command. It lasts for one answer, so it is asked for each
// time; a stream that is no socket has nothing to ask.
func acknowledgePromptly(stream any) {
	c, ok := stream.(syscall.Conn)
	if !ok {
		return
	}
	raw, err := c.SyscallConn()
	if err != nil {
		return
	}
	_ = raw.Control(func(fd uintptr) {
		_ = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, syscall.TCP_QUICKACK, 1)
	})
}
