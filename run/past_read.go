package run

// listLengths reads how many entries the list of each row has; name is the path
// of one of its leaves.
func (r *Run) listLengths(file, name string) ([]int, error) {
	pieces, err := r.pieces(file, name)
	if err != nil {
		return nil, err
	}
	var all []int
	for _, p := range pieces {
		for i := range p.rows {
			all = append(all, int(p.starts[i+1]-p.starts[i]))
		}
	}
	return all, nil
}
