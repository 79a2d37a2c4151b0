package kb

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"
)

// Bounds of the archive inside an xlsx file.
const (
	maxPart  = 16 << 20
	maxParts = 200
)

// oldOffice begins the container of encrypted workbooks and of .xls files
// (MS-CFB 2.2).
var oldOffice = []byte{0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1}

// checkArchive looks at an xlsx file before any of it is parsed: how much
// there is once unpacked, whatever its directory says, and whether it holds
// what a list of questions has no use for. It unpacks into nothing, part by
// part, so that a bomb costs time within bounds and no memory.
func checkArchive(data []byte) error {
	if bytes.HasPrefix(data, oldOffice) {
		return errors.New("文件有密码或是旧版 .xls，请去掉密码、另存为 .xlsx")
	}
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return errors.New("这不是 xlsx 文件，或文件已损坏")
	}
	if len(z.File) > maxParts {
		return fmt.Errorf("xlsx 里有 %d 个部分，最多 %d 个", len(z.File), maxParts)
	}
	total, seen := int64(0), map[string]bool{}
	for _, f := range z.File {
		name := strings.ToLower(f.Name)
		if err := checkPartName(name, seen); err != nil {
			return err
		}
		n, err := checkPart(f, name)
		if err != nil {
			return err
		}
		if total += n; total > maxFile {
			return errors.New("xlsx 解开后超过 64 MiB，请拆开再导入")
		}
	}
	if !seen["xl/workbook.xml"] {
		return errors.New("这不是 xlsx 文件，或文件已损坏")
	}
	return nil
}

func checkPartName(name string, seen map[string]bool) error {
	base := path.Base(name)
	switch {
	case seen[name]:
		return errors.New("xlsx 里有两个同名的部分")
	case strings.Contains(name, `\`) || strings.HasPrefix(name, "/") || strings.Contains("/"+name+"/", "/../"):
		return errors.New("xlsx 里有不合规的路径")
	case base == "vbaproject.bin" || strings.HasPrefix(name, "xl/macrosheets/"):
		return errors.New("文件带宏，请另存为不带宏的 .xlsx")
	case strings.HasPrefix(name, "xl/externallinks/"):
		return errors.New("文件有指向别的文件的链接，请断开链接再导入")
	case strings.HasPrefix(name, "xl/embeddings/") || strings.HasPrefix(name, "xl/activex/"):
		return errors.New("文件里嵌有别的文件或控件，请删去再导入")
	}
	seen[name] = true
	return nil
}

// checkPart unpacks a part up to its bound and returns its size. Document type
// declarations, with which XML defines entities, do not occur in xlsx.
func checkPart(f *zip.File, name string) (int64, error) {
	if f.UncompressedSize64 > maxPart {
		return 0, fmt.Errorf("xlsx 的 %s 解开后超过 16 MiB，请拆开再导入", clipped(f.Name))
	}
	if f.Flags&1 != 0 {
		return 0, errors.New("文件有密码，请去掉密码再导入")
	}
	r, err := f.Open()
	if err != nil {
		return 0, errors.New("xlsx 文件已损坏")
	}
	defer r.Close()
	look := io.Discard
	xml := &declared{}
	if strings.HasSuffix(name, ".xml") || strings.HasSuffix(name, ".rels") || strings.HasSuffix(name, ".vml") {
		look = xml
	}
	n, err := io.Copy(look, io.LimitReader(r, maxPart+1))
	switch {
	case xml.found:
		return 0, errors.New("xlsx 里有 DOCTYPE，不收")
	case n > maxPart:
		return 0, fmt.Errorf("xlsx 的 %s 解开后超过 16 MiB，请拆开再导入", clipped(f.Name))
	case err != nil:
		return 0, errors.New("xlsx 文件已损坏")
	}
	return n, nil
}

// declared looks through a part for a document type declaration, wherever it
// stands and in whatever encoding: zero bytes, of which UTF-16 has one for each
// Latin letter, are passed over.
type declared struct {
	at    int // how much of the mark the last bytes are
	found bool
}

const typeMark = "<!DOCTYPE"

// Write implements io.Writer; it fails once the mark was found.
func (d *declared) Write(p []byte) (int, error) {
	for _, b := range p {
		if b == 0 {
			continue
		}
		if b >= 'a' && b <= 'z' {
			b -= 'a' - 'A'
		}
		switch {
		case b == typeMark[d.at]:
			d.at++
		case b == typeMark[0]:
			d.at = 1
		default:
			d.at = 0
		}
		if d.at == len(typeMark) {
			d.found = true
			return 0, errors.New("a document type declaration")
		}
	}
	return len(p), nil
}
