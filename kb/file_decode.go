package kb

import (
	"bytes"
	"errors"
	"fmt"
	"unicode/utf8"

	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/unicode"
)

var utf8BOM = []byte("\xef\xbb\xbf")

// decode turns a text file into UTF-8 without a byte order mark. It takes
// UTF-8, UTF-16 with or without a mark, and GBK (as GB 18030, which holds it).
func decode(data []byte) ([]byte, error) {
	if bytes.HasPrefix(data, utf8BOM) {
		data = data[len(utf8BOM):]
		if !utf8.Valid(data) {
			return nil, errors.New("文件标为 UTF-8，但内容不是")
		}
		return data, nil
	}
	if order, ok := utf16Order(data); ok {
		out, err := unicode.UTF16(order, unicode.UseBOM).NewDecoder().Bytes(data)
		if err != nil {
			return nil, errors.New("文件像是 UTF-16，但解不开")
		}
		return out, nil
	}
	if utf8.Valid(data) {
		return data, nil
	}
	out, err := simplifiedchinese.GB18030.NewDecoder().Bytes(data)
	if err != nil || bytes.ContainsRune(out, utf8.RuneError) {
		return nil, errors.New("认不出文件的编码，请另存为 UTF-8")
	}
	return out, nil
}

// utf16Order recognises UTF-16 by its mark, or by zero bytes, which no other
// encoding of text has: they are the upper halves of Latin characters.
func utf16Order(data []byte) (unicode.Endianness, bool) {
	switch {
	case bytes.HasPrefix(data, []byte{0xff, 0xfe}):
		return unicode.LittleEndian, true
	case bytes.HasPrefix(data, []byte{0xfe, 0xff}):
		return unicode.BigEndian, true
	case len(data)%2 != 0:
		return unicode.LittleEndian, false
	}
	even, odd := 0, 0
	for i, b := range data[:min(len(data), 4096)] {
		switch {
		case b == 0 && i%2 == 0:
			even++
		case b == 0:
			odd++
		}
	}
	switch {
	case odd > 3*even:
		return unicode.LittleEndian, true
	case even > 3*odd:
		return unicode.BigEndian, true
	}
	return unicode.LittleEndian, false
}

// checkLines refuses a text with a line that no person wrote.
func checkLines(text []byte) error {
	for n := 1; len(text) > 0; n++ {
		end := bytes.IndexByte(text, '\n')
		if end < 0 {
			end = len(text)
		}
		if end > maxLine {
			return fmt.Errorf("第 %d 行超过 1 MiB", n)
		}
		text = text[min(end+1, len(text)):]
	}
	return nil
}
