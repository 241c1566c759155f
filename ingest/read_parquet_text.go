package ingest

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"
	"math/big"
	"strconv"
	"time"

	"github.com/parquet-go/parquet-go/deprecated"
	"github.com/parquet-go/parquet-go/format"
)

// texter appends the text of one value in physical form (little-endian, or the
// bytes of a byte array). dst is empty; an empty result means null.
type texter func(dst, value []byte) []byte

// leafType is how the values of a leaf column become text.
type leafType struct {
	physical format.Type
	width    int // bytes a value as decoded; 0: byte array
	kind     Kind
	text     texter // nil: the bytes are the text
}

// leafTypeOf returns the type of a leaf, or why it cannot be read.
// https://github.com/apache/parquet-format/blob/master/LogicalTypes.md
func leafTypeOf(e *format.SchemaElement) (leafType, error) {
	t := leafType{physical: e.Type.V}
	switch t.physical {
	case format.Boolean:
		t.width, t.kind, t.text = 1, KindBool, boolText
	case format.Int32:
		t.width, t.kind, t.text = 4, KindInteger, signedText
	case format.Int64:
		t.width, t.kind, t.text = 8, KindInteger, signedText
	case format.Int96:
		t.width, t.kind, t.text = 12, KindTime, int96Text
	case format.Float:
		t.width, t.kind, t.text = 4, KindFloat, floatText
	case format.Double:
		t.width, t.kind, t.text = 8, KindFloat, floatText
	case format.ByteArray:
		// Without annotation too: older writers leave text unmarked.
	case format.FixedLenByteArray:
		t.width, t.text = int(e.TypeLength.V), hex.AppendEncode
		if t.width <= 0 || t.width > 1<<20 {
			return t, fmt.Errorf("a fixed length of %d bytes", t.width)
		}
	default:
		return t, fmt.Errorf("an unknown physical type %d", t.physical)
	}
	if e.LogicalType.Value != nil {
		return t, t.logical(e.LogicalType.Value)
	}
	if e.ConvertedType.Valid {
		return t, t.converted(e)
	}
	return t, nil
}

func (t *leafType) logical(l any) error {
	switch l := l.(type) {
	case *format.IntType:
		return t.integer(l.IsSigned)
	case *format.DecimalType:
		return t.decimal(int(l.Scale))
	case *format.DateType:
		return t.date()
	case *format.TimeType:
		return t.timeOfDay(unitNanos(l.Unit))
	case *format.TimestampType:
		return t.timestamp(unitNanos(l.Unit), l.IsAdjustedToUTC)
	case *format.UUIDType:
		if t.width != 16 {
			return fmt.Errorf("a UUID of %d bytes", t.width)
		}
		t.text = uuidText
	case *format.Float16Type:
		if t.width != 2 {
			return fmt.Errorf("a half float of %d bytes", t.width)
		}
		t.kind, t.text = KindFloat, float16Text
	case *format.StringType, *format.EnumType, *format.JsonType:
		t.text = nil // also for a fixed length: text that happens to have one
	case *format.NullType:
		t.kind = KindText
	default:
		return fmt.Errorf("the type %v", l)
	}
	return nil
}

// converted reads the older annotations, which files without logical types have.
func (t *leafType) converted(e *format.SchemaElement) error {
	switch e.ConvertedType.V {
	case deprecated.UTF8, deprecated.Enum, deprecated.Json:
		t.text = nil
	case deprecated.Int8, deprecated.Int16, deprecated.Int32, deprecated.Int64:
		return t.integer(true)
	case deprecated.Uint8, deprecated.Uint16, deprecated.Uint32, deprecated.Uint64:
		return t.integer(false)
	case deprecated.Decimal:
		return t.decimal(int(e.Scale.V))
	case deprecated.Date:
		return t.date()
	case deprecated.TimeMillis:
		return t.timeOfDay(int64(time.Millisecond))
	case deprecated.TimeMicros:
		return t.timeOfDay(int64(time.Microsecond))
	case deprecated.TimestampMillis:
		return t.timestamp(int64(time.Millisecond), true)
	case deprecated.TimestampMicros:
		return t.timestamp(int64(time.Microsecond), true)
	default:
		return fmt.Errorf("the type %v", e.ConvertedType.V)
	}
	return nil
}

// isInt says whether the physical type is INT32 or INT64.
func (t *leafType) isInt() bool { return t.physical == format.Int32 || t.physical == format.Int64 }

func (t *leafType) integer(signed bool) error {
	if !t.isInt() {
		return fmt.Errorf("an integer stored as %v", t.physical)
	}
	if !signed {
		t.text = unsignedText
	}
	return nil
}

func (t *leafType) decimal(scale int) error {
	if scale < 0 || scale > 1000 {
		return fmt.Errorf("a decimal of scale %d", scale)
	}
	t.kind = KindFloat
	if scale == 0 {
		t.kind = KindInteger
	}
	switch {
	case t.isInt():
		t.text = func(dst, v []byte) []byte {
			return appendDecimal(dst, strconv.AppendInt(nil, signed(v), 10), scale)
		}
	case t.physical == format.ByteArray || t.physical == format.FixedLenByteArray:
		t.text = func(dst, v []byte) []byte {
			return appendDecimal(dst, bigEndian(v).Append(nil, 10), scale)
		}
	default:
		return fmt.Errorf("a decimal stored as %v", t.physical)
	}
	return nil
}

func (t *leafType) date() error {
	if t.physical != format.Int32 {
		return fmt.Errorf("a date stored as %v", t.physical)
	}
	t.kind = KindDate
	t.text = func(dst, v []byte) []byte {
		return time.Unix(signed(v)*86400, 0).UTC().AppendFormat(dst, time.DateOnly)
	}
	return nil
}

func (t *leafType) timeOfDay(nanos int64) error {
	if !t.isInt() {
		return fmt.Errorf("a time stored as %v", t.physical)
	}
	t.kind = KindText
	t.text = func(dst, v []byte) []byte {
		x := signed(v)
		if x < 0 || x > 86400*int64(time.Second)/nanos {
			return strconv.AppendInt(dst, x, 10)
		}
		return time.Unix(0, x*nanos).UTC().AppendFormat(dst, "15:04:05.999999999")
	}
	return nil
}

func (t *leafType) timestamp(nanos int64, utc bool) error {
	if t.physical != format.Int64 {
		return fmt.Errorf("a timestamp stored as %v", t.physical)
	}
	layout := "2006-01-02T15:04:05.999999999"
	if utc {
		layout = time.RFC3339Nano
	}
	perSecond := int64(time.Second) / nanos
	t.kind = KindTime
	t.text = func(dst, v []byte) []byte {
		x := signed(v)
		sec, rest := x/perSecond, x%perSecond
		return time.Unix(sec, rest*nanos).UTC().AppendFormat(dst, layout)
	}
	return nil
}

func unitNanos(u format.TimeUnit) int64 {
	switch u.Value.(type) {
	case *format.MilliSeconds:
		return int64(time.Millisecond)
	case *format.MicroSeconds:
		return int64(time.Microsecond)
	}
	return 1
}

// signed reads a little-endian INT32 or INT64.
func signed(v []byte) int64 {
	if len(v) == 4 {
		return int64(int32(binary.LittleEndian.Uint32(v)))
	}
	return int64(binary.LittleEndian.Uint64(v))
}

func boolText(dst, v []byte) []byte { return strconv.AppendBool(dst, v[0] != 0) }

func signedText(dst, v []byte) []byte { return strconv.AppendInt(dst, signed(v), 10) }

func unsignedText(dst, v []byte) []byte {
	if len(v) == 4 {
		return strconv.AppendUint(dst, uint64(binary.LittleEndian.Uint32(v)), 10)
	}
	return strconv.AppendUint(dst, binary.LittleEndian.Uint64(v), 10)
}

func floatText(dst, v []byte) []byte {
	if len(v) == 4 {
		return appendFloat(dst, float64(math.Float32frombits(binary.LittleEndian.Uint32(v))), 32)
	}
	return appendFloat(dst, math.Float64frombits(binary.LittleEndian.Uint64(v)), 64)
}

// appendFloat writes the shortest text that reads back as f; not a number is
// null, as pandas means it. Whole numbers have no point: a column of integers
// with gaps often comes as floats.
func appendFloat(dst []byte, f float64, bitSize int) []byte {
	a := math.Abs(f)
	switch {
	case math.IsNaN(f):
		return dst[:0]
	case a == 0:
		return append(dst, '0') // also for −0
	case a < 1e-6 || a >= 1e21:
		return strconv.AppendFloat(dst, f, 'e', -1, bitSize)
	}
	return strconv.AppendFloat(dst, f, 'f', -1, bitSize)
}

// float16Text reads an IEEE 754 half float.
func float16Text(dst, v []byte) []byte {
	h := binary.LittleEndian.Uint16(v)
	exp, frac := int(h>>10&0x1f), float64(h&0x3ff)
	var f float64
	switch exp {
	case 0:
		f = math.Ldexp(frac, -24)
	case 31:
		f = math.Inf(1)
		if frac != 0 {
			return dst[:0]
		}
	default:
		f = math.Ldexp(1024+frac, exp-25)
	}
	if h&0x8000 != 0 {
		f = -f
	}
	return appendFloat(dst, f, 32)
}

// int96Text reads the timestamp of Impala and older Spark: nanoseconds of the
// day, then the Julian day. Written as UTC, as Spark means it.
func int96Text(dst, v []byte) []byte {
	const unixEpochJulianDay = 2440588
	nanos := int64(binary.LittleEndian.Uint64(v))
	days := int64(int32(binary.LittleEndian.Uint32(v[8:]))) - unixEpochJulianDay
	return time.Unix(days*86400+nanos/1e9, nanos%1e9).UTC().AppendFormat(dst, time.RFC3339Nano)
}

func uuidText(dst, v []byte) []byte {
	for i, part := range [][]byte{v[:4], v[4:6], v[6:8], v[8:10], v[10:16]} {
		if i > 0 {
			dst = append(dst, '-')
		}
		dst = hex.AppendEncode(dst, part)
	}
	return dst
}

// bigEndian reads a two's complement integer of any length.
func bigEndian(v []byte) *big.Int {
	x := new(big.Int).SetBytes(v)
	if len(v) > 0 && v[0]&0x80 != 0 {
		x.Sub(x, new(big.Int).Lsh(big.NewInt(1), uint(8*len(v))))
	}
	return x
}

// appendDecimal puts the point into the digits of an unscaled value.
func appendDecimal(dst, digits []byte, scale int) []byte {
	if digits[0] == '-' {
		dst, digits = append(dst, '-'), digits[1:]
	}
	if scale == 0 {
		return append(dst, digits...)
	}
	whole := len(digits) - scale
	if whole <= 0 {
		dst = append(dst, '0', '.')
		for ; whole < 0; whole++ {
			dst = append(dst, '0')
		}
		return append(dst, digits...)
	}
	dst = append(dst, digits[:whole]...)
	dst = append(dst, '.')
	return append(dst, digits[whole:]...)
}
