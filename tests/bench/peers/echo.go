// A peer of 02 to 04: Go's net as its own documentation uses it, a goroutine for each client. The runtime deals them
// out to as many threads as there are cores for it.
package main

import (
	"bufio"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"runtime"
)

func lines(client net.Conn) {
	input := bufio.NewReader(client)
	for {
		line, err := input.ReadString('\n')
		if err != nil {
			return
		}
		if _, err := fmt.Fprintf(client, "ECHO %s", line); err != nil {
			return
		}
	}
}

// The library has the kernel move the bytes (splice), so that they never come to the program.
func raw(client net.Conn) {
	io.Copy(client, client)
}

func main() {
	port := flag.Int("port", 1234, "")
	packet := flag.String("packet", "line", "line or raw")
	version := flag.Bool("version", false, "print Go's version and exit")
	flag.Parse()
	if *version {
		fmt.Println(runtime.Version())
		return
	}
	serve, known := map[string]func(net.Conn){"line": lines, "raw": raw}[*packet]
	if !known {
		fmt.Fprintln(os.Stderr, "--packet is line or raw")
		os.Exit(2)
	}
	listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", *port))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println("Listening on", listener.Addr())
	for {
		client, err := listener.Accept()
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		go func() {
			defer client.Close()
			serve(client)
		}()
	}
}
