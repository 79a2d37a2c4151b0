package chart

import (
	"cmp"
	"html"
	"strconv"
	"strings"
)

// SVG writes the scene for a page: no style of its own, only class names (see
// static/app.css), so that a strict content security policy holds.
func (s Scene) SVG() string {
	var b strings.Builder
	b.WriteString(`<svg class="chart" viewBox="0 0 ` + num(s.W) + ` ` + num(s.H) + `" width="` + num(s.W) + `" height="` + num(s.H) + `" ` + name(s.About) + `>`)
	for _, p := range s.Shapes {
		p.svg(&b)
	}
	b.WriteString("</svg>")
	return b.String()
}

// name is what a picture is called; one without a name is an ornament.
func name(about string) string {
	if about == "" {
		return `aria-hidden="true"`
	}
	return `role="img" aria-label="` + html.EscapeString(about) + `"`
}

func num(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }

func short(f float64) string {
	return strings.TrimSuffix(strconv.FormatFloat(f, 'f', 1, 64), ".0")
}

func (p Shape) svg(b *strings.Builder) {
	if p.Link != "" {
		b.WriteString(`<a href="` + html.EscapeString(p.Link) + `" aria-label="` + html.EscapeString(cmp.Or(p.Title, p.Text)) + `">`)
		defer b.WriteString("</a>")
	}
	attr := p.attributes()
	body := ""
	if p.Title != "" {
		body = "<title>" + html.EscapeString(p.Title) + "</title>"
	}
	tag := ""
	switch p.Kind {
	case Box:
		tag, attr = "rect", ` x="`+short(p.X)+`" y="`+short(p.Y)+`" width="`+short(p.W)+`" height="`+short(p.H)+`"`+attr
	case Dot:
		tag, attr = "circle", ` cx="`+short(p.X)+`" cy="`+short(p.Y)+`" r="`+short(p.W)+`"`+attr
	case Line:
		tag, attr = "polyline", ` points="`+points(p.Points)+`"`+attr
	case Area:
		tag, attr = "polygon", ` points="`+points(p.Points)+`"`+attr
	case Text:
		tag, body = "text", body+html.EscapeString(p.Text)
		attr = ` x="` + short(p.X) + `" y="` + short(p.Y) + `"` + attr
		if p.Anchor != Start {
			attr += ` text-anchor="` + [...]string{"", "middle", "end"}[p.Anchor] + `"`
		}
		if p.Size > 0 {
			attr += ` font-size="` + short(p.Size) + `"`
		}
	}
	b.WriteString("<" + tag + attr + ">" + body + "</" + tag + ">")
}

func (p Shape) attributes() string {
	var class []string
	if p.Fill != "" {
		class = append(class, "f-"+string(p.Fill))
	} else if p.Kind != Text {
		class = append(class, "f-no")
	}
	if p.Stroke != "" {
		class = append(class, "s-"+string(p.Stroke))
	}
	if p.Bold {
		class = append(class, "em")
	}
	attr := ` class="` + strings.Join(class, " ") + `"`
	if p.Width > 0 {
		attr += ` stroke-width="` + short(p.Width) + `"`
	}
	if p.Dashed {
		attr += ` stroke-dasharray="3 3"`
	}
	if p.Opacity > 0 && p.Opacity < 1 {
		attr += ` opacity="` + strconv.FormatFloat(p.Opacity, 'f', 2, 64) + `"`
	}
	return attr
}

func points(list [][2]float64) string {
	parts := make([]string, len(list))
	for i, p := range list {
		parts[i] = short(p[0]) + "," + short(p[1])
	}
	return strings.Join(parts, " ")
}
