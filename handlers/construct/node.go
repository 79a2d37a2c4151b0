package construct

import "frontline/handlers/spec"

// Fault is one thing that is wrong with a file, where it stands.
type Fault = spec.Fault

type node = spec.Node

// reader reads one recipe or environment.
type reader struct{ spec.Reader }

func newReader(file string) *reader { return &reader{spec.Reader{File: file}} }
