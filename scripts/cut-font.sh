#!/bin/sh
# Cuts chart/font.ttf from Debian's fonts-wqy-microhei: all Hanzi of the basic
# block, ASCII, Latin-1 and the punctuation that charts use; no hints, no layout
# tables. Needs python3-fonttools. Run it only when the set changes.
set -eu
cd "$(dirname "$0")/.."
pyftsubset "${1:-/usr/share/fonts/truetype/wqy/wqy-microhei.ttc}" --font-number=0 \
	--unicodes=U+0020-007E,U+00A0-00FF,U+2010-2027,U+2030,U+2103,U+2190-2193,U+2460-2473,U+25A0-25CF,U+3000-303F,U+4E00-9FA5,U+FF01-FF5E,U+FFE5 \
	--no-hinting --layout-features= --drop-tables+=GSUB,GPOS,GDEF,BASE,kern,vhea,vmtx --name-IDs=0,1,2,4,6,13 \
	--output-file=chart/font.ttf
ls -l chart/font.ttf
