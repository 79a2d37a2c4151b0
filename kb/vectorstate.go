package kb

// VectorState is how far the embedded questions are.
type VectorState struct {
	Want, Have int // questions of the base, and those with a vector of the model
	Dim        int
	Fitted     int // questions of the base that the weight of likeness was fitted on; 0: set by rule
}
