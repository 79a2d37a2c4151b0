package picture

import (
	"bytes"
	"encoding/binary"
)

const orientationTag = 0x0112

// orientation reads how the camera was held out of a JPEG's Exif segment; 1
// (upright) when nothing readable says otherwise.
// https://www.cipa.jp/std/documents/e/DC-X008-Translation-2019-E.pdf 4.6.4
func orientation(jpeg []byte) int {
	tiff := exifOf(jpeg)
	if len(tiff) < 8 {
		return 1
	}
	var order binary.ByteOrder = binary.BigEndian
	if tiff[0] == 'I' {
		order = binary.LittleEndian
	}
	at := int(order.Uint32(tiff[4:]))
	if at < 8 || at+2 > len(tiff) {
		return 1
	}
	n := int(order.Uint16(tiff[at:]))
	for i := range n {
		e := at + 2 + 12*i
		if e+12 > len(tiff) {
			return 1
		}
		if order.Uint16(tiff[e:]) == orientationTag {
			return int(order.Uint16(tiff[e+8:]))
		}
	}
	return 1
}

// exifOf is the TIFF block of a JPEG's Exif segment.
func exifOf(b []byte) []byte {
	if !bytes.HasPrefix(b, []byte{0xFF, 0xD8}) {
		return nil
	}
	for at := 2; at+4 <= len(b) && b[at] == 0xFF; {
		kind, size := b[at+1], int(binary.BigEndian.Uint16(b[at+2:]))
		if kind == 0xDA || size < 2 || at+2+size > len(b) {
			return nil
		}
		body := b[at+4 : at+2+size]
		if kind == 0xE1 && bytes.HasPrefix(body, []byte("Exif\x00\x00")) {
			return body[6:]
		}
		at += 2 + size
	}
	return nil
}
