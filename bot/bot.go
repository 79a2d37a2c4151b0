// Package bot is the edge to WeChat Work (企业微信): callbacks in, calls out,
// and nothing else. It knows the platform's formats, limits and error codes;
// it does not know tickets or knowledge.
package bot
