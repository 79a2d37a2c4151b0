package chart

import (
	"bytes"
	_ "embed" // the font
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"math"
	"sync"

	"golang.org/x/image/font"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
	"golang.org/x/image/vector"
)

// WenQuanYi Micro Hei, cut by scripts/cut-font.sh.
//
//go:embed font.ttf
var fontFile []byte

var theFont = sync.OnceValues(func() (*opentype.Font, error) { return opentype.Parse(fontFile) })

// Palette is what the inks look like in a picture.
var Palette = map[Ink]color.NRGBA{
	Series1: {0x35, 0x66, 0xe0, 255}, Series2: {0x8a, 0x63, 0xd2, 255}, Series3: {0x1c, 0x9a, 0xa8, 255}, Series4: {0x83, 0x8d, 0x9e, 255},
	Words: {0x1a, 0x21, 0x33, 255}, Muted: {0x66, 0x70, 0x85, 255}, Grid: {0xe4, 0xe7, 0xec, 255}, Danger: {0xc4, 0x32, 0x2a, 255}, Surface: {255, 255, 255, 255}, OnInk: {255, 255, 255, 255},
}

// PNG draws the scene, scale pixels to each unit, on the surface.
func (s Scene) PNG(scale float64) ([]byte, error) {
	p, err := newPainter(s, scale)
	if err != nil {
		return nil, err
	}
	for _, shape := range s.Shapes {
		if err := p.draw(shape); err != nil {
			return nil, err
		}
	}
	var b bytes.Buffer
	err = png.Encode(&b, p.img)
	return b.Bytes(), err
}

type painter struct {
	img   *image.RGBA
	scale float64
	font  *opentype.Font
	faces map[float64]font.Face
}

func newPainter(s Scene, scale float64) (*painter, error) {
	f, err := theFont()
	if err != nil {
		return nil, err
	}
	img := image.NewRGBA(image.Rect(0, 0, int(math.Ceil(s.W*scale)), int(math.Ceil(s.H*scale))))
	draw.Draw(img, img.Bounds(), image.NewUniform(Palette[Surface]), image.Point{}, draw.Src)
	return &painter{img, scale, f, map[float64]font.Face{}}, nil
}

func (s Shape) ink(i Ink) color.Color {
	c := Palette[i]
	if s.Opacity > 0 && s.Opacity < 1 {
		c.A = uint8(math.Round(255 * s.Opacity))
	}
	return c
}

func (p *painter) draw(s Shape) error {
	switch s.Kind {
	case Text:
		return p.text(s)
	case Box:
		p.fill([][2]float64{{s.X, s.Y}, {s.X + s.W, s.Y}, {s.X + s.W, s.Y + s.H}, {s.X, s.Y + s.H}}, s.ink(s.Fill))
	case Area:
		p.fill(s.Points, s.ink(s.Fill))
	case Dot:
		if s.Stroke != "" {
			p.fill(circle(s.X, s.Y, s.W+s.Width/2), s.ink(s.Stroke))
			p.fill(circle(s.X, s.Y, s.W-s.Width/2), s.ink(s.Fill))
			return nil
		}
		p.fill(circle(s.X, s.Y, s.W), s.ink(s.Fill))
	case Line:
		for i := 1; i < len(s.Points); i++ {
			p.stroke(s.Points[i-1], s.Points[i], s)
		}
	}
	return nil
}

func circle(x, y, r float64) [][2]float64 {
	const n = 40
	out := make([][2]float64, n)
	for i := range out {
		sin, cos := math.Sincos(2 * math.Pi * float64(i) / n)
		out[i] = [2]float64{x + r*cos, y + r*sin}
	}
	return out
}

// stroke draws one piece of a line, cut in dashes where it has them.
func (p *painter) stroke(a, b [2]float64, s Shape) {
	dx, dy := b[0]-a[0], b[1]-a[1]
	length := math.Hypot(dx, dy)
	if length == 0 {
		return
	}
	dx, dy = dx/length, dy/length
	dash := length
	if s.Dashed {
		dash = 3
	}
	half := s.Width / 2
	for at := 0.0; at < length; at += 2 * dash {
		end := min(at+dash, length)
		x1, y1, x2, y2 := a[0]+at*dx, a[1]+at*dy, a[0]+end*dx, a[1]+end*dy
		p.fill([][2]float64{{x1 - dy*half, y1 + dx*half}, {x2 - dy*half, y2 + dx*half}, {x2 + dy*half, y2 - dx*half}, {x1 + dy*half, y1 - dx*half}}, s.ink(s.Stroke))
	}
}

// fill fills a polygon, in a raster no larger than its own box.
func (p *painter) fill(points [][2]float64, c color.Color) {
	x0, y0, x1, y1 := math.Inf(1), math.Inf(1), math.Inf(-1), math.Inf(-1)
	for _, q := range points {
		x0, y0, x1, y1 = min(x0, q[0]), min(y0, q[1]), max(x1, q[0]), max(y1, q[1])
	}
	at := image.Rect(int(math.Floor(x0*p.scale)), int(math.Floor(y0*p.scale)), int(math.Ceil(x1*p.scale)), int(math.Ceil(y1*p.scale))).Intersect(p.img.Bounds())
	if at.Empty() {
		return
	}
	r := vector.NewRasterizer(at.Dx(), at.Dy())
	for i, q := range points {
		x, y := float32(q[0]*p.scale-float64(at.Min.X)), float32(q[1]*p.scale-float64(at.Min.Y))
		if i == 0 {
			r.MoveTo(x, y)
		} else {
			r.LineTo(x, y)
		}
	}
	r.ClosePath()
	r.Draw(p.img, at, image.NewUniform(c), image.Point{})
}

func (p *painter) face(size float64) (font.Face, error) {
	if f := p.faces[size]; f != nil {
		return f, nil
	}
	f, err := opentype.NewFace(p.font, &opentype.FaceOptions{Size: size * p.scale, DPI: 72, Hinting: font.HintingNone})
	p.faces[size] = f
	return f, err
}

func (p *painter) text(s Shape) error {
	size := s.Size
	if size == 0 {
		size = 12
	}
	face, err := p.face(size)
	if err != nil {
		return err
	}
	words, err := Drawable(s.Text)
	if err != nil {
		return err
	}
	d := font.Drawer{Dst: p.img, Src: image.NewUniform(s.ink(s.Fill)), Face: face}
	x := fixed.Int26_6(s.X * p.scale * 64)
	switch w := d.MeasureString(words); s.Anchor {
	case Middle:
		x -= w / 2
	case End:
		x -= w
	}
	d.Dot = fixed.Point26_6{X: x, Y: fixed.Int26_6(s.Y * p.scale * 64)}
	d.DrawString(words)
	if s.Bold { // the font has one weight
		d.Dot = fixed.Point26_6{X: x + fixed.Int26_6(0.3*p.scale*64), Y: fixed.Int26_6(s.Y * p.scale * 64)}
		d.DrawString(words)
	}
	return nil
}

// missing stands for a character that the font does not have; nothing at all
// would hide that there was one.
const missing = '□'

// Drawable is text with a box for each character that the font lacks.
func Drawable(text string) (string, error) {
	f, err := theFont()
	if err != nil {
		return "", err
	}
	var b sfnt.Buffer
	out := []rune(text)
	for i, r := range out {
		n, err := f.GlyphIndex(&b, r)
		if err != nil {
			return "", err
		}
		if n == 0 {
			out[i] = missing
		}
	}
	return string(out), nil
}
