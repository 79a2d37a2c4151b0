package chart

import (
	"bytes"
	"encoding/xml"
	"image"
	"image/png"
	"io"
	"os"
	"strings"
	"testing"
)

func sample() Scene {
	bars := make([]Bar, 30)
	for i := range bars {
		bars[i] = Bar{Label: "11-" + string(rune('0'+i/10)) + string(rune('0'+i%10)), Parts: []int64{int64(i % 5), int64(i % 3), int64(i), 1}, Title: `<"x">`, Links: []string{"/tickets?a=1&b=2"}}
	}
	week := []Point{{"W40", 33, true, ""}, {"W41", 0, false, ""}, {"W42", 40, true, ""}, {"W43", 42.5, true, ""}}
	spans := []Span{{"数据", 1800, 7200, true, "", ""}, {"程序", 0, 0, false, "", ""}}
	return Poster(640, "第 47 周 运营小结", "11月16日至11月20日", []Figure{{"工单", "1284", "上期 1302"}, {"真解决率", "34%", "表面 49%"}, {"首响中位", "2 分 40 秒", ""}, {"满意度", "4.6", ""}},
		Legend([]string{"数据", "程序", "咨询", "其他"}), Stacked(600, 200, "每日工单", bars), Trend(600, 150, "真解决率", week), Spans(600, 120, "解决用时", spans, 4*3600),
		Heat(600, 130, "时段", []string{"周一", "周二"}, []string{"9时", "10时"}, [][]Cell{{{Value: 3}, {Value: 1}}, {{}, {Value: 26}}}), Shares(600, "占比", []Share{{"数据", "28.7%", .287, .292, ""}, {"程序", "25.9%", .259, -1, ""}}))
}

func TestSVGIsWellFormedAndWithoutStyle(t *testing.T) {
	svg := sample().SVG()
	for d := xml.NewDecoder(strings.NewReader(svg)); ; {
		if _, err := d.Token(); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
	for _, bad := range []string{"style=", "<script", "NaN", "Inf"} {
		if strings.Contains(svg, bad) {
			t.Errorf("contains %s", bad)
		}
	}
	if !strings.Contains(svg, `href="/tickets?a=1&amp;b=2"`) || !strings.Contains(svg, "&lt;&#34;x&#34;&gt;") {
		t.Error("links and titles are not escaped")
	}
}

// Where a text stands, something is drawn; FRONTLINE_CHART keeps the picture to
// be looked at.
func TestPNGHasItsWords(t *testing.T) {
	s := sample()
	b, err := s.PNG(2)
	if err != nil {
		t.Fatal(err)
	}
	if to := os.Getenv("FRONTLINE_CHART"); to != "" {
		if err := os.WriteFile(to, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	img, err := png.Decode(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	if img.Bounds().Dx() != 1280 {
		t.Errorf("%v wide", img.Bounds())
	}
	if n := dark(img, image.Rect(40, 36, 400, 80)); n < 300 {
		t.Errorf("the title has %d dark pixels", n)
	}
}

func dark(img image.Image, at image.Rectangle) (n int) {
	for y := at.Min.Y; y < at.Max.Y; y++ {
		for x := at.Min.X; x < at.Max.X; x++ {
			if r, g, b, _ := img.At(x, y).RGBA(); r+g+b < 3*0x8000 {
				n++
			}
		}
	}
	return n
}

func TestEveryGlyphOfOurWordsIsThere(t *testing.T) {
	for _, text := range []string{"工单数据程序咨询其他提问真解决率首次响应中位时限达标满意度营业部", "0123456789%·（）①②③—…“”「」,.:±℃→↑↓", "龘靐齉爩鱻麤", "Ⅲ"} {
		got, err := Drawable(text)
		if err != nil {
			t.Fatal(err)
		}
		if text == "Ⅲ" {
			if got != "□" {
				t.Errorf("a missing glyph became %q", got)
			}
		} else if got != text {
			t.Errorf("%q became %q", text, got)
		}
	}
	if got, _ := Drawable("□"); got != "□" {
		t.Error("the font lacks the box itself")
	}
}

func TestScale(t *testing.T) {
	for _, most := range []float64{0, 1, 4, 5, 9, 10, 11, 99, 100, 101, 1234, 99999} {
		step, ticks := scale(most)
		if step < 1 || ticks < 1 || ticks > 6 || step*float64(ticks) < most {
			t.Errorf("scale(%v) = %v, %v", most, step, ticks)
		}
	}
}

// Nothing panics or divides by nothing on empty input.
func TestEmptyCharts(t *testing.T) {
	for _, s := range []Scene{Stacked(300, 100, "", nil), Trend(300, 100, "", nil), Spans(300, 100, "", nil, 0), Heat(300, 100, "", nil, nil, nil), Shares(300, "", nil), Legend(nil), Poster(300, "", "", nil)} {
		if svg := s.SVG(); strings.Contains(svg, "NaN") || strings.Contains(svg, "Inf") {
			t.Error(svg)
		}
		if s.W > 0 && s.H > 0 {
			if _, err := s.PNG(1); err != nil {
				t.Error(err)
			}
		}
	}
}

func BenchmarkPNG(b *testing.B) {
	s := sample()
	for b.Loop() {
		if _, err := s.PNG(2); err != nil {
			b.Fatal(err)
		}
	}
}
