// Package chart lays charts out once and writes them twice: as SVG for the
// pages, with class names instead of styles, and as PNG for chat.
package chart

// Ink is a colour by its name. On the pages the theme decides what it looks
// like, in a picture Palette does.
type Ink string

// The inks: four series, text, muted text, grid lines, danger, the surface.
const (
	Series1 Ink = "c1"
	Series2 Ink = "c2"
	Series3 Ink = "c3"
	Series4 Ink = "c4"
	Words   Ink = "tx"
	Muted   Ink = "mu"
	Grid    Ink = "gl"
	Danger  Ink = "dg"
	Surface Ink = "sf"
	OnInk   Ink = "oi" // words on a filled shape
)

// Anchor is where a text stands beside its point.
type Anchor int

// Anchors.
const (
	Start Anchor = iota
	Middle
	End
)

// Shape is one thing that is drawn. Coordinates are in units of the scene,
// from its upper left corner.
type Shape struct {
	Kind    Kind
	X, Y    float64
	W, H    float64      // of a box; W is the radius of a dot
	Points  [][2]float64 // of a line or an area
	Fill    Ink
	Stroke  Ink
	Width   float64 // of the stroke
	Opacity float64 // 0 is 1
	Dashed  bool
	Text    string
	Anchor  Anchor
	Size    float64 // of a text; 0 is 12
	Bold    bool
	Title   string // shown on hover
	Link    string // where a click leads; own paths only
}

// Kind of a shape.
type Kind int

// Kinds of shapes.
const (
	Box Kind = iota
	Line
	Area
	Dot
	Text
)

// Scene is a laid out chart.
type Scene struct {
	W, H   float64
	About  string // for who does not see it
	Shapes []Shape
}

func (s *Scene) add(shapes ...Shape) { s.Shapes = append(s.Shapes, shapes...) }

func (s *Scene) text(x, y float64, anchor Anchor, ink Ink, text string) {
	s.add(Shape{Kind: Text, X: x, Y: y, Anchor: anchor, Fill: ink, Text: text})
}

func (s *Scene) line(x1, y1, x2, y2 float64, ink Ink, dashed bool) {
	s.add(Shape{Kind: Line, Points: [][2]float64{{x1, y1}, {x2, y2}}, Stroke: ink, Width: 1, Dashed: dashed})
}

// Put draws another scene into s, at a place.
func (s *Scene) Put(x, y float64, other Scene) {
	for _, p := range other.Shapes {
		p.X, p.Y = p.X+x, p.Y+y
		moved := make([][2]float64, len(p.Points))
		for i, q := range p.Points {
			moved[i] = [2]float64{q[0] + x, q[1] + y}
		}
		p.Points = moved
		s.add(p)
	}
}
