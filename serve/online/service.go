package online

import (
	"cmp"
	"context"
	"hash/maphash"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"sama/graph"
	"sama/record"
)

// Service is a run together with what came since. Its methods may be called
// concurrently.
type Service struct {
	*Engine
	// First is where the ids that are issued are counted from, drawn at random:
	// see the package comment. It is set before the first record comes.
	First uint64

	// Now is the clock by which records are received; nil = time.Now. It is set
	// before the first of them.
	Now     func() time.Time
	issuer  graph.Issuer
	decided Decisions

	placing sync.Mutex // one arrival is placed at a time, while others read
	mu      sync.RWMutex
	overlay *overlay // changed by who holds both
	issued  uint64
	version atomic.Uint64

	// Arrivals of one key are taken up and committed one after the other, so that
	// the store has them in the same order.
	keys [256]sync.Mutex
	seed maphash.Seed
}

// onlineIDs is where the counter of ids that are issued online begins; a run's
// own ids are counted from 0.
const onlineIDs = 1 << 39

// NewService returns the service of a run to which nothing has come yet. The
// issuer has the run's number. decided may be nil.
func NewService(e *Engine, issuer graph.Issuer, decided Decisions) *Service {
	return &Service{Engine: e, issuer: issuer, decided: decided, overlay: newOverlay(), seed: maphash.MakeSeed()}
}

// Version grows with everything that comes.
func (s *Service) Version() uint64 { return s.version.Load() }

// Commit makes an arrival last. What it refuses is taken back.
type Commit func(a *Arrival) error

// Put takes up a new or changed record: it is matched, joins an identity or
// founds one, and is visible from then on.
func (s *Service) Put(ctx context.Context, key record.Key, fields map[string]string, commit Commit) (*Arrival, error) {
	a := &Arrival{Key: key}
	if err := s.Prepare(ctx, a, fields); err != nil {
		return nil, err
	}
	return a, s.PutPrepared(a, commit)
}

// PutPrepared is Put of an arrival that [Service.Prepare] has read.
func (s *Service) PutPrepared(a *Arrival, commit Commit) error {
	a.Received, a.watched = s.now(), true
	return s.take(a, func() (err error) {
		a.Identity, a.Founded, err = s.place(a)
		return err
	}, commit)
}

// Delete takes up that a record is gone. The arrival's identity is the one that
// it belonged to, "" if no such record was known: then nothing is committed.
func (s *Service) Delete(key record.Key, commit Commit) (*Arrival, error) {
	a := &Arrival{Key: key, watched: true}
	return a, s.take(a, func() error {
		if id, there := s.identityOf(key); there {
			a.Identity = id
		}
		return nil
	}, commit)
}

// Prepare reads the record of an arrival, and by what it is found.
func (s *Service) Prepare(ctx context.Context, a *Arrival, fields map[string]string) error {
	values, err := s.Read(ctx, a.Key, fields)
	if err != nil {
		return err
	}
	return s.prepare(a, values)
}

// Restore takes up an arrival that was committed before: its key, identity,
// whether that was founded for it, when it was received, and, unless the record
// was deleted, what [Service.Prepare] makes of it. Arrivals come in the order of
// commitment. An identity is kept if it is still there; otherwise the record is
// placed anew and moved is true.
func (s *Service) Restore(a *Arrival) (moved bool, err error) {
	identity := a.Identity
	err = s.take(a, func() error {
		switch id, live := s.live(identity); {
		case live:
			a.Identity = id
		case a.Founded:
			// Its id goes on: nobody else can have it.
		case a.Values == nil:
			a.Identity, _ = s.identityOf(a.Key)
		default:
			moved = true
			a.Identity, a.Founded, err = s.place(a)
		}
		return err
	}, func(*Arrival) error { return nil })
	return moved, err
}

// prepare works out by what a record is found.
func (s *Service) prepare(a *Arrival, v *Values) error {
	a.Values = v
	var err error
	a.keys, err = s.keysOf(v)
	return err
}

// take places an arrival, makes it visible, and takes it back if it cannot be
// committed.
func (s *Service) take(a *Arrival, place func() error, commit Commit) error {
	lock := &s.keys[maphash.Comparable(s.seed, a.Key)%uint64(len(s.keys))]
	lock.Lock()
	defer lock.Unlock()
	s.placing.Lock()
	err := place()
	s.mu.Lock()
	var before *Arrival
	if err == nil && a.Identity != "" {
		left, there := s.identityOf(a.Key)
		s.watch(a, left, there)
		before = s.overlay.put(a)
		if there {
			s.leave(a, left)
		}
		a.since = s.saidSince(a, before)
		s.version.Add(1)
	}
	s.mu.Unlock()
	s.placing.Unlock()
	if err != nil || a.Identity == "" {
		return err
	}
	if err := commit(a); err != nil {
		s.placing.Lock()
		s.mu.Lock()
		s.overlay.undo(a, before)
		s.version.Add(1)
		s.mu.Unlock()
		s.placing.Unlock()
		return err
	}
	return nil
}

// watch notes what an arrival may change.
func (s *Service) watch(a *Arrival, left string, there bool) {
	a.Member = there && left == a.Identity
	if !a.watched {
		return
	}
	a.before = s.members(a.Identity)
	if there && left != a.Identity {
		a.leftBefore = s.members(left)
	}
}

// Changed returns the columns of the index in which the golden record of an
// arrival's identity is another than before it came, and those of the identity that
// the record left. It is for who commits the arrival, and tells nothing of an
// identity that was founded or that has no record any more.
func (s *Service) Changed(a *Arrival) (own, left []int, err error) {
	before, leftBefore := a.before, a.leftBefore
	a.before, a.leftBefore = nil, nil // the arrival stays, they need not
	if own, err = s.differ(a.Identity, before); err != nil || a.Left == "" {
		return own, nil, err
	}
	left, err = s.differ(a.Left, leftBefore)
	return own, left, err
}

// differ compares the golden record of some records with that of an identity now.
func (s *Service) differ(id string, rows []row) ([]int, error) {
	if len(rows) == 0 {
		return nil, nil
	}
	before, err := s.merge(id, rows, false)
	if err != nil {
		return nil, err
	}
	now, ok, err := s.Profile(id, false)
	if err != nil || !ok {
		return nil, err
	}
	var columns []int
	b, n := before.Values, now.Values // in order of columns
	for len(b) > 0 || len(n) > 0 {
		switch {
		case len(n) == 0 || len(b) > 0 && b[0].Column < n[0].Column:
			columns, b = append(columns, b[0].Column), b[1:]
		case len(b) == 0 || n[0].Column < b[0].Column:
			columns, n = append(columns, n[0].Column), n[1:]
		default:
			if b[0].Value != n[0].Value {
				columns = append(columns, b[0].Column)
			}
			b, n = b[1:], n[1:]
		}
	}
	return columns, nil
}

// leave notes that a record belonged to an identity before it came again.
func (s *Service) leave(a *Arrival, left string) {
	s.overlay.touched[left] = true // it may have lost the record to another
	if left != a.Identity || a.Values == nil {
		a.Emptied = len(s.members(left)) == 0
	}
	if left != a.Identity {
		a.Left = left
	}
}

// live returns the identity that an id names now, by itself or as an alias.
func (s *Service) live(id string) (string, bool) {
	if id == "" {
		return "", false
	}
	if s.overlay.founded[id] {
		return id, true
	}
	if _, ok := s.Index.Find(id); ok {
		return id, true
	}
	surviving, retired, ok := s.Index.Alias(id)
	return surviving, ok && !retired
}

// identityOf returns the identity of a record, "" if there is no such record.
func (s *Service) identityOf(k record.Key) (string, bool) {
	if a := s.overlay.byKey[k]; a != nil {
		return a.Identity, a.Values != nil
	}
	if r, ok := s.Index.FindRecord(k); ok {
		return s.Index.IdentityID(s.Index.IdentityOf(r)), true
	}
	return "", false
}

// members returns the records of an identity, those that came online last.
func (s *Service) members(id string) []row {
	var rows []row
	if i, ok := s.Index.Find(id); ok {
		for _, r := range s.Index.Members(i) {
			if s.overlay.byKey[s.Index.Key(r)] == nil {
				rows = append(rows, row{record: r})
			}
		}
	}
	for _, a := range s.overlay.byIdentity[id] {
		rows = append(rows, row{values: a.Values})
	}
	return rows
}

// candidates returns the records that the rules of the night propose for a
// record, itself apart; those that came online first.
func (s *Service) candidates(key record.Key, k *keys) []row {
	g := gathering{Service: s, key: key}
	for _, k := range k.night {
		g.online(s.overlay.byPosting[k])
		g.found = append(g.found, s.postings.Block(k)...)
	}
	return g.rows(maxCandidates)
}

// searched returns the records that a partial record is weighed against: those
// with an identifier that it has, and those that the rules of the night and of
// partial records propose.
func (s *Service) searched(k *keys) []row {
	g := gathering{Service: s, key: searchKey}
	for _, v := range k.values {
		g.online(s.overlay.byValue[v])
		if code, ok := s.Index.FindNormal(v.column, v.normal); ok && !s.Index.Generic(v.column, code) {
			holders := s.Index.RecordsWith(v.column, code)
			g.first = append(g.first, holders[:min(len(holders), maxHolders)]...)
		}
	}
	for _, k := range k.night {
		g.online(s.overlay.byPosting[k])
		g.found = append(g.found, s.postings.Block(k)...)
	}
	for _, k := range k.search {
		g.online(s.overlay.bySearch[k])
		g.found = append(g.found, s.search.Block(k)...)
	}
	return g.rows(maxSearched)
}

// gathering collects the records that one record is weighed against.
type gathering struct {
	*Service
	key          record.Key
	came         []row
	seen         map[*Arrival]bool
	first, found []uint32 // of the run
}

// online adds records that came since.
func (g *gathering) online(list []*Arrival) {
	for _, a := range list {
		if a.Key == g.key || g.seen[a] {
			continue
		}
		if g.seen == nil {
			g.seen = make(map[*Arrival]bool)
		}
		g.seen[a] = true
		g.came = append(g.came, row{values: a.Values})
	}
}

// rows returns at most limit of what was collected.
func (g *gathering) rows(limit int) []row {
	rows := g.came
	taken := make(map[uint32]bool, len(g.first)+len(g.found))
	slices.Sort(g.found)
	for _, list := range [][]uint32{g.first, g.found} {
		for _, r := range list {
			if taken[r] {
				continue
			}
			taken[r] = true
			if k := g.Index.Key(r); k != g.key && g.overlay.byKey[k] == nil {
				rows = append(rows, row{record: r})
			}
		}
	}
	return rows[:min(len(rows), limit)]
}

// identity returns the identity of a row, "" if it has gone in the meantime.
func (s *Service) identity(r row) string {
	if r.values != nil {
		if a := s.overlay.byKey[r.values.Key]; a != nil && a.Values != nil {
			return a.Identity
		}
		return ""
	}
	return s.Index.IdentityID(s.Index.IdentityOf(r.record))
}

// ranked is an identity with the highest weight that any of its records has.
type ranked struct {
	id   string
	best weighed
}

// rank gathers weighed records, the highest first, by identity.
func (s *Service) rank(list []weighed) []ranked {
	var out []ranked
	for _, w := range list {
		id := s.identity(w.row)
		if id != "" && !slices.ContainsFunc(out, func(r ranked) bool { return r.id == id }) {
			out = append(out, ranked{id, w})
		}
	}
	return out
}

// place says which identity a record belongs to.
func (s *Service) place(a *Arrival) (id string, founded bool, err error) {
	candidates := s.candidates(a.Key, &a.keys)
	if s.decided != nil {
		candidates = s.withDecided(a.Key, candidates)
	}
	own := s.ownIdentity(a.Key)
	if len(candidates) > 0 {
		list, _, err := s.weigh(a.Values, candidates, s.floor(a.Key))
		if err != nil {
			return "", false, err
		}
		if id, err := s.joined(a, s.rank(list), own); id != "" || err != nil {
			return id, false, err
		}
	}
	if own.id != "" && own.others == 0 {
		return own.id, false, nil // nobody else has it
	}
	return s.found(), true, nil
}

// floor is the weight from which on candidates are looked at: where a steward
// has decided something about a record, all of them.
func (s *Service) floor(k record.Key) record.Weight {
	decided := false
	if s.decided != nil {
		s.decided.Of(k, func(_ record.Key, same bool) { decided = decided || same })
	}
	if decided {
		return record.WeightOfBits(-1000)
	}
	return edgeFloor
}

// withDecided adds the records that stewards have decided to be the same.
func (s *Service) withDecided(k record.Key, rows []row) []row {
	s.decided.Of(k, func(other record.Key, same bool) {
		if !same || slices.ContainsFunc(rows, func(r row) bool { return s.key(r) == other }) {
			return
		}
		if a := s.overlay.byKey[other]; a != nil {
			if a.Values != nil {
				rows = append(rows, row{values: a.Values})
			}
		} else if r, ok := s.Index.FindRecord(other); ok {
			rows = append(rows, row{record: r})
		}
	})
	return rows
}

func (s *Service) key(r row) record.Key {
	if r.values != nil {
		return r.values.Key
	}
	return s.Index.Key(r.record)
}

// ownIdentity is the identity that a record had before it came again.
type ownIdentity struct {
	id     string
	others int // further records of it
}

func (s *Service) ownIdentity(k record.Key) (own ownIdentity) {
	id, there := s.identityOf(k)
	if !there {
		return own
	}
	own.id = id
	for _, r := range s.members(id) {
		if s.key(r) != k {
			own.others++
		}
	}
	return own
}

// joined clusters a record with the identities that it may belong to, and
// returns the one that most records of its cluster have: of equal ones the one
// that it had, then the one with the highest weight. "" means none of them.
func (s *Service) joined(a *Arrival, list []ranked, own ownIdentity) (string, error) {
	rows := []row{{values: a.Values}}
	add := func(id string) {
		for _, r := range s.members(id) {
			if s.key(r) != a.Key && len(rows) < maxRecords {
				rows = append(rows, r)
			}
		}
	}
	for _, r := range list[:min(len(list), maxIdentities)] {
		add(r.id)
	}
	if own.id != "" && !slices.ContainsFunc(list[:min(len(list), maxIdentities)], func(r ranked) bool { return r.id == own.id }) {
		add(own.id)
	}
	if len(rows) == 1 {
		return "", nil
	}
	cluster, err := s.cluster(a.Key, rows, s.decided)
	if err != nil {
		return "", err
	}
	count := make(map[string]int)
	for _, r := range cluster {
		if s.key(r) != a.Key {
			count[s.identity(r)]++
		}
	}
	best := ""
	better := func(id string) bool {
		return best == "" || cmp.Or(cmp.Compare(count[id], count[best]), order(id == own.id, best == own.id)) > 0
	}
	for _, r := range append(list, ranked{id: own.id}) {
		if count[r.id] > 0 && better(r.id) {
			best = r.id
		}
	}
	return best, nil
}

func order(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}

// found issues an id.
func (s *Service) found() string {
	for {
		id := s.issuer.ID(onlineIDs + (s.First+s.issued)%onlineIDs).String()
		s.issued++
		if !s.overlay.founded[id] {
			if _, taken := s.Index.Find(id); !taken {
				return id
			}
		}
	}
}
