package main

import (
	"fmt"

	"github.com/aws/smithy-go/logging"
)

// warnings keeps what the SDK warns of, such as an answer without a checksum.
type warnings struct{ lines []string }

func (w *warnings) Logf(class logging.Classification, format string, values ...any) {
	if class == logging.Warn {
		w.lines = append(w.lines, fmt.Sprintf(format, values...))
	}
}
