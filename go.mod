module frontline

go 1.26.0
