package web

import (
	"fmt"
	"html/template"

	"frontline/chart"
	"frontline/kb"
)

// calibrationView is how the base judges itself, in pictures.
type calibrationView struct {
	kb.Calibration
	Covered, Right template.HTML
}

// HeardRight is the share of what people spoke of whose first hit was what they asked for.
func (c calibrationView) HeardRight() float64 {
	return float64(c.Heard.Right) / float64(max(1, c.Heard.Told))
}

const calibrationWidth, calibrationHeight = 520, 220

// calibration draws what the base's own questions say of its probabilities.
func (v *visit) calibration() (c calibrationView, err error) {
	if c.Calibration, err = v.s.opt.Knowledge.Calibration(); err != nil || c.Own == 0 {
		return c, err
	}
	var covered, right []chart.Point
	for _, p := range c.Promises {
		covered = append(covered, chart.Point{Label: fmt.Sprintf("%.0f%%", 100*p.Promised), Value: 100 * p.Covered, Known: true})
	}
	for _, b := range c.Bins {
		right = append(right, chart.Point{Label: fmt.Sprintf("%.0f%%", 100*b.Stated), Value: 100 * b.Right, Known: true})
	}
	c.Covered = template.HTML(chart.Trend(calibrationWidth, calibrationHeight, v.t("答对的承诺与答得上的比例"), covered).SVG())
	c.Right = template.HTML(chart.Trend(calibrationWidth, calibrationHeight, v.t("说出的把握与实际答对的比例"), right).SVG())
	return c, nil
}
