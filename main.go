// Command frontline is a chat-ops desk for WeChat Work (企业微信).
package main

func main() {}
