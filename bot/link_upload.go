package bot

import (
	"context"
	"crypto/md5"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"

	"frontline/bot/chat"
)

// A file goes over the long connection in pieces; its media id is good for
// three days. See https://developer.work.weixin.qq.com/document/path/101463.
const (
	chunkSize  = 512 << 10 // before base64
	chunkMost  = 100
	chunkTries = 3 // the same piece twice does no harm
)

// Upload brings a file to the platform and returns its media id. Whatever goes
// wrong, the message itself is not sent.
func (l *Link) Upload(ctx context.Context, f chat.File, content []byte) (id string, err error) {
	n := (len(content) + chunkSize - 1) / chunkSize
	if n == 0 || n > chunkMost {
		return "", fmt.Errorf("%w: the file has %d bytes", ErrRejected, len(content))
	}
	sum := md5.Sum(content) // the platform's own check, not a protection
	var begun struct {
		ID string `json:"upload_id"`
	}
	if err := l.step(ctx, cmdInit, map[string]any{"type": f.Kind, "filename": f.Name, "total_size": len(content), "total_chunks": n, "md5": hex.EncodeToString(sum[:])}, &begun); err != nil {
		return "", err
	}
	for i := range n {
		piece := content[i*chunkSize : min((i+1)*chunkSize, len(content))]
		body := map[string]any{"upload_id": begun.ID, "chunk_index": i, "base64_data": base64.StdEncoding.EncodeToString(piece)}
		err := l.step(ctx, cmdChunk, body, nil)
		for try := 1; err != nil && Classify(err) == ClassUnknown && try < chunkTries; try++ {
			err = l.step(ctx, cmdChunk, body, nil)
		}
		if err != nil {
			return "", err
		}
	}
	var done struct {
		ID string `json:"media_id"`
	}
	err = l.step(ctx, cmdFinish, map[string]string{"upload_id": begun.ID}, &done)
	return done.ID, err
}

func (l *Link) step(ctx context.Context, cmd string, body, into any) error {
	b, err := marshalJSON(body)
	if err != nil {
		return err
	}
	answer, err := l.request(ctx, cmd, b)
	if err != nil || into == nil {
		return err
	}
	if err := json.Unmarshal(answer, into); err != nil {
		return &CallError{API: cmd, Err: errors.New("the answer has another form")}
	}
	return nil
}
