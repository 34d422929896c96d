package main

// This file measures the times. Other load on the machine changes within seconds. Therefore the cases of a group run in
// turn, in bursts of milliseconds.

import (
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"slices"
	"testing"
	"time"

	"github.com/haidra-org/modelref/bench"
)

// burstsPerRound is the number of bursts of a case in a round. The fastest burst counts, because other load can only
// make a burst slower.
const burstsPerRound = 3

// contender is a case with its measurements.
type contender struct {
	name   string
	run    func() error
	done   func()
	repeat int             // operations in a burst
	warm   time.Duration   // time of one operation, before the rounds
	rounds []time.Duration // times of one operation
	allocs int             // allocations of one operation, or -1
}

// measureGroup runs all cases of the group and returns them with their measurements.
func measureGroup(g *bench.Group, s settings) (out []*contender, err error) {
	defer func() {
		for _, c := range out {
			if c.done != nil {
				c.done()
			}
		}
	}()
	for i := range g.Cases {
		c := &contender{name: g.Cases[i].By, allocs: -1}
		out = append(out, c)
		if c.run, c.done, err = g.Cases[i].Open(); err != nil {
			return out, fmt.Errorf("%s by=%s: %w", g.Name, c.name, err)
		}
		if err = c.calibrate(s.burst); err != nil {
			return out, fmt.Errorf("%s by=%s: %w", g.Name, c.name, err)
		}
		if g.Cases[i].Ours() && !g.Cases[i].Inexact && g.Records <= 10_000 {
			c.countAllocs()
		}
	}
	rounds, bursts := effort(out, s.rounds)
	if bursts == 1 { // the operations are large: in a first round, the system has to provide the memory, which takes longer
		if err := round(out, 1); err != nil {
			return out, fmt.Errorf("%s: %w", g.Name, err)
		}
		for _, c := range out {
			c.rounds = nil
		}
	}
	for range rounds {
		if err := round(out, bursts); err != nil {
			return out, fmt.Errorf("%s: %w", g.Name, err)
		}
	}
	return out, nil
}

// effort returns the number of rounds and of bursts in a round. A long operation averages over the load on the machine,
// so it needs fewer.
func effort(all []*contender, rounds int) (int, int) {
	longest := time.Duration(0)
	for _, c := range all {
		longest = max(longest, c.warm)
	}
	switch {
	case longest > time.Second:
		return min(rounds, 3), 1
	case longest > 100*time.Millisecond:
		return rounds, 1
	default:
		return rounds, burstsPerRound
	}
}

// round runs the bursts of every contender, in turn.
func round(all []*contender, bursts int) error {
	best := make([]time.Duration, len(all))
	for range bursts {
		for i, c := range all {
			took, err := c.burst()
			if err != nil {
				return fmt.Errorf("by=%s: %w", c.name, err)
			}
			if best[i] == 0 || took < best[i] {
				best[i] = took
			}
		}
	}
	for i, c := range all {
		c.rounds = append(c.rounds, best[i])
	}
	return nil
}

// calibrate determines the number of operations in a burst, and warms up.
func (c *contender) calibrate(burst time.Duration) error {
	c.repeat = 1
	for {
		took, err := c.burst()
		if err != nil {
			return err
		}
		if total := took * time.Duration(c.repeat); total >= burst/2 || c.repeat > 1<<24 {
			c.repeat, c.warm = max(1, int(burst/max(took, 1))), took
			return nil
		}
		c.repeat *= 4
	}
}

// burst returns the time of one operation. It collects the garbage of the other cases first. The garbage of the
// operation is collected while it runs.
func (c *contender) burst() (time.Duration, error) {
	runtime.GC()
	var err error
	start := time.Now()
	for range c.repeat {
		err = errors.Join(err, c.run())
	}
	return max(time.Since(start)/time.Duration(c.repeat), 1), err
}

// countAllocs counts the allocations of one operation. The garbage collector is disabled, because it empties the pools.
// The smallest of several counts has only the allocations of the operation.
func (c *contender) countAllocs() {
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	for range 5 {
		n := int(testing.AllocsPerRun(5, func() { _ = c.run() }))
		if c.allocs < 0 || n < c.allocs {
			c.allocs = n
		}
	}
	runtime.GC()
}

func (c *contender) median() time.Duration {
	sorted := slices.Sorted(slices.Values(c.rounds))
	return (sorted[(len(sorted)-1)/2] + sorted[len(sorted)/2]) / 2
}

// ratioTo returns the median of the ratios of all rounds. Each ratio compares times of the same round.
func (c *contender) ratioTo(other *contender) float64 {
	ratios := make([]float64, len(c.rounds))
	for i := range ratios {
		ratios[i] = float64(c.rounds[i]) / float64(other.rounds[i])
	}
	slices.Sort(ratios)
	return (ratios[(len(ratios)-1)/2] + ratios[len(ratios)/2]) / 2
}
