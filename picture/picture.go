// Package picture makes pictures that people send harmless and small: drawn
// anew, upright, without what the camera wrote into them.
package picture

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/color"
	_ "image/gif" // formats that are read
	"image/jpeg"
	"image/png"

	"golang.org/x/image/draw"
	_ "golang.org/x/image/webp"
)

// ErrNone tells that content is no picture that is understood.
var ErrNone = errors.New("not a picture")

// ErrTooLarge tells that a picture has more points than are drawn: a small file
// can hold a huge one.
var ErrTooLarge = errors.New("the picture has too many points")

const (
	mostPoints = 50_000_000
	quality    = 86
	// LongSide is what the longer side of a cleaned photo has at most.
	LongSide = 2560
)

// drawing bounds how many pictures are in memory at once: 50 million points
// take 200 MB.
var drawing = make(chan struct{}, 2)

// Clean draws a picture anew: upright, at most LongSide long, and with nothing
// in it but its points (no place, no device, no time). JPEG stays JPEG, the
// rest becomes PNG, of an animation the first picture.
func Clean(content []byte) (out []byte, kind string, err error) {
	img, format, err := open(content, LongSide)
	if err != nil {
		return nil, "", err
	}
	var b bytes.Buffer
	if format == "jpeg" {
		err = jpeg.Encode(&b, img, &jpeg.Options{Quality: quality})
		return b.Bytes(), "image/jpeg", err
	}
	err = png.Encode(&b, img)
	return b.Bytes(), "image/png", err
}

// Thumb is a picture as JPEG whose longer side is at most side.
func Thumb(content []byte, side int) ([]byte, error) {
	img, _, err := open(content, side)
	if err != nil {
		return nil, err
	}
	flat := image.NewRGBA(img.Bounds())
	draw.Draw(flat, flat.Bounds(), image.NewUniform(color.White), image.Point{}, draw.Src)
	draw.Draw(flat, flat.Bounds(), img, img.Bounds().Min, draw.Over)
	var b bytes.Buffer
	err = jpeg.Encode(&b, flat, &jpeg.Options{Quality: quality})
	return b.Bytes(), err
}

// open reads a picture, turns it upright and makes it at most side long.
func open(content []byte, side int) (image.Image, string, error) {
	conf, format, err := image.DecodeConfig(bytes.NewReader(content))
	if err != nil {
		return nil, "", fmt.Errorf("%w: %v", ErrNone, err)
	}
	if conf.Width <= 0 || conf.Height <= 0 || conf.Width > mostPoints/conf.Height {
		return nil, "", ErrTooLarge
	}
	drawing <- struct{}{}
	defer func() { <-drawing }()
	img, _, err := image.Decode(bytes.NewReader(content))
	if err != nil {
		return nil, "", fmt.Errorf("%w: %v", ErrNone, err)
	}
	w, h := img.Bounds().Dx(), img.Bounds().Dy()
	if long := max(w, h); long > side {
		w, h = max(1, w*side/long), max(1, h*side/long)
	}
	small := image.NewRGBA(image.Rect(0, 0, w, h))
	draw.ApproxBiLinear.Scale(small, small.Bounds(), img, img.Bounds(), draw.Src, nil)
	if format == "jpeg" {
		return upright(small, orientation(content)), format, nil
	}
	return small, format, nil
}

// upright turns a picture as the camera was held, 1 to 8 as Exif counts.
func upright(in *image.RGBA, how int) *image.RGBA {
	if how < 2 || how > 8 {
		return in
	}
	w, h := in.Bounds().Dx(), in.Bounds().Dy()
	ow, oh := w, h
	if how >= 5 {
		ow, oh = h, w
	}
	out := image.NewRGBA(image.Rect(0, 0, ow, oh))
	for y := range h {
		for x := range w {
			nx, ny := x, y
			switch how {
			case 2:
				nx = w - 1 - x
			case 3:
				nx, ny = w-1-x, h-1-y
			case 4:
				ny = h - 1 - y
			case 5:
				nx, ny = y, x
			case 6:
				nx, ny = h-1-y, x
			case 7:
				nx, ny = h-1-y, w-1-x
			case 8:
				nx, ny = y, w-1-x
			}
			copy(out.Pix[out.PixOffset(nx, ny):][:4], in.Pix[in.PixOffset(x, y):][:4])
		}
	}
	return out
}
