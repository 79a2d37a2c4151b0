package monitor

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"frontline/handlers/mask"
	"frontline/handlers/spec"
)

// commandProbe runs a program out of the folder that the operator reviews; it
// prints rows as JSON. Nothing that people say reaches it.
type commandProbe struct {
	file string
	args []string
}

func (p *commandProbe) Kind() string { return "command" }

func (r *reader) commandProbe(n *spec.Node) Probe {
	p := &commandProbe{}
	r.Fields(n, "command", map[string]func(*spec.Node){
		"file": func(n *spec.Node) {
			if p.file = r.Text(n); !filepath.IsLocal(p.file) || filepath.Base(p.file) != p.file {
				r.Fault(n, "file 是 monitors.commands 文件夹里的一个文件名")
			}
		},
		"args": func(n *spec.Node) { p.args = r.Texts(n) },
	})
	if n.Kind == 'm' && p.file == "" {
		r.Fault(n, "command 要写 file")
	}
	return p
}

// maxOutput is how much a program may print.
const maxOutput = 1 << 20

func (p *commandProbe) Rows(ctx context.Context, s *Sources, o Order) ([]Row, error) {
	if s.Commands == "" {
		return nil, &Fail{"配置没有 monitors.commands，不能运行脚本"}
	}
	file := filepath.Join(s.Commands, p.file)
	if err := trusted(file); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, o.Timeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, file, p.args...)
	cmd.Dir, cmd.Env = s.Commands, []string{"PATH=" + os.Getenv("PATH"), "LANG=C.UTF-8"} // none of our secrets
	var out, bad bounded
	cmd.Stdout, cmd.Stderr = &out, &bad
	cmd.WaitDelay = time.Second
	killAll(cmd)
	err := cmd.Run()
	switch {
	case ctx.Err() != nil:
		return nil, &Fail{fmt.Sprintf("脚本超过 %s 没有结束，已停下", o.Timeout)}
	case out.over:
		return nil, &Fail{"脚本输出超过 1 MB"}
	case err != nil:
		return nil, &Fail{"脚本失败：" + clip(mask.Text(firstLine(bad.String(), err.Error())), 200)}
	}
	d := json.NewDecoder(bytes.NewReader(out.Bytes()))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, &Fail{"脚本输出不是 JSON"}
	}
	return rowsOf(plain(v))
}

// trusted refuses a program that others could have written.
func trusted(file string) error {
	st, err := os.Stat(file)
	switch {
	case err != nil:
		return &Fail{"没有脚本 " + filepath.Base(file)}
	case !st.Mode().IsRegular() || st.Mode().Perm()&0o111 == 0:
		return &Fail{"脚本 " + filepath.Base(file) + " 不能执行"}
	case st.Mode().Perm()&fs.FileMode(0o002) != 0:
		return &Fail{"脚本 " + filepath.Base(file) + " 谁都能改，不运行"}
	}
	return nil
}

// bounded keeps the beginning of what is printed.
type bounded struct {
	bytes.Buffer
	over bool
}

func (b *bounded) Write(p []byte) (int, error) {
	if room := maxOutput - b.Len(); room < len(p) {
		b.over = true
		b.Buffer.Write(p[:max(0, room)])
		return len(p), nil
	}
	return b.Buffer.Write(p)
}

func firstLine(texts ...string) string {
	for _, t := range texts {
		if line, _, _ := bytes.Cut(bytes.TrimSpace([]byte(t)), []byte("\n")); len(line) > 0 {
			return string(line)
		}
	}
	return ""
}
