package notification

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"os"
	"sync"
	"syscall"
)

// FileSender appends e-mails to a file as JSON lines, for development and tests. Like a good provider it takes
// each key once, also when several processes write.
type FileSender struct {
	mutex sync.Mutex
	file  *os.File
	seen  map[string]bool
	read  int64
}

// NewFileSender opens the file, or makes it.
func NewFileSender(path string) (*FileSender, error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	return &FileSender{file: file, seen: map[string]bool{}}, nil
}

// Send writes the message unless it is there.
func (f *FileSender) Send(_ context.Context, message Message) error {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	descriptor := int(f.file.Fd())
	if err := syscall.Flock(descriptor, syscall.LOCK_EX); err != nil {
		return err
	}
	defer func() { _ = syscall.Flock(descriptor, syscall.LOCK_UN) }()
	if err := f.catchUp(); err != nil {
		return err
	}
	if f.seen[message.Key] {
		return nil
	}
	line, err := json.Marshal(message)
	if err != nil {
		return err
	}
	// What a process that died has left of a line is overwritten.
	if _, err := f.file.WriteAt(append(line, '\n'), f.read); err != nil {
		return err
	}
	return f.catchUp()
}

// catchUp reads the whole lines that were added since, by whomever.
func (f *FileSender) catchUp() error {
	lines := bufio.NewReader(io.NewSectionReader(f.file, f.read, 1<<62))
	for {
		line, err := lines.ReadBytes('\n')
		if err == io.EOF {
			return f.file.Truncate(f.read)
		}
		if err != nil {
			return err
		}
		var message Message
		if err := json.Unmarshal(line, &message); err != nil {
			return err
		}
		f.seen[message.Key] = true
		f.read += int64(len(line))
	}
}
