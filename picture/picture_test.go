package picture

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"testing"
)

// photo is a JPEG of a red left half and a blue right half, with an Exif
// segment that names an orientation and a place.
func photo(t *testing.T, w, h, how int, order binary.AppendByteOrder) []byte {
	t.Helper()
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			c := color.RGBA{200, 0, 0, 255}
			if x >= w/2 {
				c = color.RGBA{0, 0, 200, 255}
			}
			img.SetRGBA(x, y, c)
		}
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, &jpeg.Options{Quality: 95}); err != nil {
		t.Fatal(err)
	}
	tiff := []byte("MM\x00\x2a")
	if order == binary.AppendByteOrder(binary.LittleEndian) {
		tiff = []byte("II\x2a\x00")
	}
	tiff = order.AppendUint32(tiff, 8)
	tiff = order.AppendUint16(tiff, 1)
	tiff = order.AppendUint16(tiff, orientationTag)
	tiff = order.AppendUint16(tiff, 3)
	tiff = order.AppendUint32(tiff, 1)
	tiff = order.AppendUint16(tiff, uint16(how))
	tiff = append(tiff, "\x00\x00GPS 31.2304 121.4737"...)
	seg := append([]byte("Exif\x00\x00"), tiff...)
	head := binary.BigEndian.AppendUint16([]byte{0xFF, 0xD8, 0xFF, 0xE1}, uint16(len(seg)+2))
	return append(append(head, seg...), b.Bytes()[2:]...)
}

func TestCleanForgetsWhereAndStandsUpright(t *testing.T) {
	for how, want := range map[int]struct {
		turned bool
		red    image.Point // where the red half is after turning, in a picture of 40 by 20
	}{1: {false, image.Pt(5, 10)}, 2: {false, image.Pt(35, 10)}, 3: {false, image.Pt(35, 10)}, 4: {false, image.Pt(5, 10)}, 5: {true, image.Pt(10, 5)}, 6: {true, image.Pt(10, 5)}, 7: {true, image.Pt(10, 35)}, 8: {true, image.Pt(10, 35)}, 99: {false, image.Pt(5, 10)}} {
		for _, order := range []binary.AppendByteOrder{binary.BigEndian, binary.LittleEndian} {
			in := photo(t, 40, 20, how, order)
			if !bytes.Contains(in, []byte("GPS")) {
				t.Fatal("the sample holds no place")
			}
			out, kind, err := Clean(in)
			if err != nil || kind != "image/jpeg" {
				t.Fatal(kind, err)
			}
			if bytes.Contains(out, []byte("GPS")) || bytes.Contains(out, []byte("Exif")) {
				t.Errorf("orientation %d: the place is still in it", how)
			}
			img, err := jpeg.Decode(bytes.NewReader(out))
			if err != nil {
				t.Fatal(err)
			}
			if turned := img.Bounds().Dx() == 20; turned != want.turned {
				t.Errorf("orientation %d: %v", how, img.Bounds())
			}
			if r, _, b, _ := img.At(want.red.X, want.red.Y).RGBA(); r < b {
				t.Errorf("orientation %d: red is not at %v", how, want.red)
			}
		}
	}
}

func TestSizes(t *testing.T) {
	out, _, err := Clean(photo(t, 3000, 500, 1, binary.BigEndian))
	if err != nil {
		t.Fatal(err)
	}
	if c, _ := jpeg.DecodeConfig(bytes.NewReader(out)); c.Width != LongSide || c.Height != 500*LongSide/3000 {
		t.Errorf("%d by %d", c.Width, c.Height)
	}
	thumb, err := Thumb(photo(t, 300, 200, 6, binary.LittleEndian), 100)
	if err != nil {
		t.Fatal(err)
	}
	if c, _ := jpeg.DecodeConfig(bytes.NewReader(thumb)); c.Width != 66 || c.Height != 100 {
		t.Errorf("thumb of %d by %d", c.Width, c.Height)
	}
}

func TestRefusals(t *testing.T) {
	// A PNG that claims a hundred thousand by a hundred thousand points.
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewRGBA(image.Rect(0, 0, 1, 1))); err != nil {
		t.Fatal(err)
	}
	bomb := bytes.Clone(b.Bytes())
	binary.BigEndian.PutUint32(bomb[16:], 100_000)
	binary.BigEndian.PutUint32(bomb[20:], 100_000)
	crc := pngCRC(bomb[12:29])
	binary.BigEndian.PutUint32(bomb[29:], crc)
	if _, _, err := Clean(bomb); !errors.Is(err, ErrTooLarge) {
		t.Errorf("a bomb: %v", err)
	}
	for name, content := range map[string][]byte{"nothing": nil, "text": []byte("hello"), "a cut one": photo(t, 40, 20, 1, binary.BigEndian)[:120], "html": []byte("<svg onload=alert(1)>")} {
		if _, _, err := Clean(content); !errors.Is(err, ErrNone) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzOrientation(f *testing.F) {
	f.Add([]byte{0xFF, 0xD8, 0xFF, 0xE1, 0, 20, 'E', 'x', 'i', 'f', 0, 0, 'M', 'M', 0, 42, 0, 0, 0, 8, 0, 1})
	f.Fuzz(func(t *testing.T, b []byte) { orientation(b) })
}

func pngCRC(b []byte) uint32 { return crc32.ChecksumIEEE(b) }
