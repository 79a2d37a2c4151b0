// Command frontline is a chat-ops desk for WeChat Work (企业微信).
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"frontline/cli"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := cli.Run(ctx, os.Args[1:], cli.OSEnv())
	stop()
	os.Exit(code)
}
