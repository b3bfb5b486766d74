;; CRC-64/NVME for pieces of a body in memory, several times as fast as tables alone.
;;
;; Bits are reflected: the first bit of a body is the highest power of x. A piece is first reduced in vectors of 16 bytes
;; with a sparse multiple of the polynomial. In terms of y = x^128, the multiple is
;;   y^259 + y^242 + y^240 + y^222 + y^127 + y^114 + y^112 + y^89 + y^66 + y^64 + y^60 + y^56 + 1.
;; Adding it, shifted, to a body cancels the first vector and changes 12 later ones. So each vector becomes the exclusive
;; or of itself and 12 reduced vectors before it, and the last 259 vectors have the remainder of the whole piece.
;; Tables for 16 bytes at once (slicing-by-16) reduce those, and pieces that are too short for the first step.
;;
;; Memory: 16 tables of 256 remainders, zeros where vectors before the piece are read, the piece, and its last vectors.
(module
  (memory (export "memory") 2)
  (global (export "piece") i32 (i32.const 36992))
  (global (export "pieceBytes") i32 (i32.const 65536))

  ;; Fills the tables: the remainder of each byte, followed by 0 to 15 zero bytes.
  (func $fillTables
    (local $at i32) (local $bit i32) (local $remainder i64)
    (loop $bytes
      (local.set $remainder (i64.extend_i32_u (i32.shr_u (local.get $at) (i32.const 3))))
      (local.set $bit (i32.const 8))
      (loop $bits
        (local.set $remainder
          (i64.xor
            (i64.shr_u (local.get $remainder) (i64.const 1))
            (i64.and
              (i64.const 0x9a6c9329ac4bc9b5)
              (i64.sub (i64.const 0) (i64.and (local.get $remainder) (i64.const 1))))))
        (br_if $bits (local.tee $bit (i32.sub (local.get $bit) (i32.const 1)))))
      (i64.store (local.get $at) (local.get $remainder))
      (br_if $bytes (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 8))) (i32.const 2048))))
    (loop $longer
      (local.set $remainder (i64.load (i32.sub (local.get $at) (i32.const 2048))))
      (i64.store (local.get $at)
        (i64.xor
          (i64.shr_u (local.get $remainder) (i64.const 8))
          (i64.load (i32.shl (i32.and (i32.wrap_i64 (local.get $remainder)) (i32.const 255)) (i32.const 3)))))
      (br_if $longer (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 8))) (i32.const 32768)))))
  (start $fillTables)

  ;; The remainder of the bytes from $at to $end after $crc, with the tables.
  (func $slice (param $at i32) (param $end i32) (param $crc i64) (result i64)
    (local $low i64) (local $high i64)
    (block $short
      (loop $blocks
        (br_if $short (i32.lt_u (i32.sub (local.get $end) (local.get $at)) (i32.const 16)))
        (local.set $low (i64.xor (local.get $crc) (i64.load (local.get $at))))
        (local.set $high (i64.load offset=8 (local.get $at)))
        (local.set $crc (i64.xor (i64.load offset=30720 (i32.wrap_i64 (i64.and (i64.shl (local.get $low) (i64.const 3)) (i64.const 2040))))
          (i64.load offset=28672 (i32.wrap_i64 (i64.and (i64.shr_u (local.get $low) (i64.const 5)) (i64.const 2040))))))
        (local.set $crc (i64.xor (local.get $crc)
          (i64.load offset=26624 (i32.wrap_i64 (i64.and (i64.shr_u (local.get $low) (i64.const 13)) (i64.const 2040))))))
        (local.set $crc (i64.xor (local.get $crc)
          (i64.load offset=24576 (i32.wrap_i64 (i64.and (i64.shr_u (local.get $low) (i64.const 21)) (i64.const 2040))))))
        (local.set $crc (i64.xor (local.get $crc)
          (i64.load offset=22528 (i32.wrap_i64 (i64.and (i64.shr_u (local.get $low) (i64.const 29)) (i64.const 2040))))))
        (local.set $crc (i64.xor (local.get $crc)
          (i64.load offset=20480 (i32.wrap_i64 (i64.and (i64.shr_u (local.get $low) (i64.const 37)) (i64.const 2040))))))
        (local.set $crc (i64.xor (local.get $crc)
          (i64.load offset=18432 (i32.wrap_i64 (i64.and (i64.shr_u (local.get $low) (i64.const 45)) (i64.const 2040))))))
        (local.set $crc (i64.xor (local.get $crc)
          (i64.load offset=16384 (i32.wrap_i64 (i64.and (i64.shr_u (local.get $low) (i64.const 53)) (i64.const 2040))))))
        (local.set $crc (i64.xor (local.get $crc)
          (i64.load offset=14336 (i32.wrap_i64 (i64.and (i64.shl (local.get $high) (i64.const 3)) (i64.const 2040))))))
        (local.set $crc (i64.xor (local.get $crc)
          (i64.load offset=12288 (i32.wrap_i64 (i64.and (i64.shr_u (local.get $high) (i64.const 5)) (i64.const 2040))))))
        (local.set $crc (i64.xor (local.get $crc)
          (i64.load offset=10240 (i32.wrap_i64 (i64.and (i64.shr_u (local.get $high) (i64.const 13)) (i64.const 2040))))))
        (local.set $crc (i64.xor (local.get $crc)
          (i64.load offset=8192 (i32.wrap_i64 (i64.and (i64.shr_u (local.get $high) (i64.const 21)) (i64.const 2040))))))
        (local.set $crc (i64.xor (local.get $crc)
          (i64.load offset=6144 (i32.wrap_i64 (i64.and (i64.shr_u (local.get $high) (i64.const 29)) (i64.const 2040))))))
        (local.set $crc (i64.xor (local.get $crc)
          (i64.load offset=4096 (i32.wrap_i64 (i64.and (i64.shr_u (local.get $high) (i64.const 37)) (i64.const 2040))))))
        (local.set $crc (i64.xor (local.get $crc)
          (i64.load offset=2048 (i32.wrap_i64 (i64.and (i64.shr_u (local.get $high) (i64.const 45)) (i64.const 2040))))))
        (local.set $crc (i64.xor (local.get $crc)
          (i64.load offset=0 (i32.wrap_i64 (i64.and (i64.shr_u (local.get $high) (i64.const 53)) (i64.const 2040))))))
        (local.set $at (i32.add (local.get $at) (i32.const 16)))
        (br $blocks)))
    (block $end
      (loop $bytes
        (br_if $end (i32.ge_u (local.get $at) (local.get $end)))
        (local.set $crc
          (i64.xor
            (i64.shr_u (local.get $crc) (i64.const 8))
            (i64.load
              (i32.shl
                (i32.and
                  (i32.xor (i32.wrap_i64 (local.get $crc)) (i32.load8_u (local.get $at)))
                  (i32.const 255))
                (i32.const 3)))))
        (local.set $at (i32.add (local.get $at) (i32.const 1)))
        (br $bytes)))
    (local.get $crc))

  ;; The CRC after $length more bytes at `piece`, which are overwritten. Inversions before and after are the caller's.
  (func (export "update") (param $crc i64) (param $length i32) (result i64)
    (local $at i32) (local $from i32) (local $last i32) (local $tail i32)
    (if (i32.lt_u (local.get $length) (i32.const 12432))
      (then
        (return (call $slice (i32.const 36992) (i32.add (i32.const 36992) (local.get $length)) (local.get $crc)))))
    (i64.store (i32.const 36992) (i64.xor (i64.load (i32.const 36992)) (local.get $crc)))
    ;; The last vectors, and the bytes after them, move away and become zeros, so that no vector is affected by them.
    (local.set $last (i32.add (i32.const 32848) (i32.and (local.get $length) (i32.const -16))))
    (memory.copy (i32.const 102528) (local.get $last) (i32.const 4160))
    (memory.fill (local.get $last) (i32.const 0) (i32.const 4144))
    (local.set $at (i32.const 36992))
    (loop $vectors
      (v128.store (local.get $at)
        (v128.xor (v128.load (local.get $at))
          (v128.xor
            (v128.xor
              (v128.xor
                (v128.load offset=3872 (local.tee $from (i32.sub (local.get $at) (i32.const 4144))))
                (v128.xor
                  (v128.load offset=3840 (local.get $from))
                  (v128.load offset=3552 (local.get $from))))
              (v128.xor
                (v128.load offset=2032 (local.get $from))
                (v128.xor
                  (v128.load offset=1824 (local.get $from))
                  (v128.load offset=1792 (local.get $from)))))
            (v128.xor
              (v128.xor
                (v128.load offset=1424 (local.get $from))
                (v128.xor
                  (v128.load offset=1056 (local.get $from))
                  (v128.load offset=1024 (local.get $from))))
              (v128.xor
                (v128.load offset=960 (local.get $from))
                (v128.xor
                  (v128.load offset=896 (local.get $from))
                  (v128.load offset=0 (local.get $from))))))))
      (br_if $vectors (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 16))) (local.get $last))))
    (local.set $tail (i32.const 102528))
    (loop $tails
      (v128.store (local.get $tail)
        (v128.xor (v128.load (local.get $tail))
          (v128.xor
            (v128.xor
              (v128.xor
                (v128.load offset=3872 (local.tee $from (i32.sub (local.get $at) (i32.const 4144))))
                (v128.xor
                  (v128.load offset=3840 (local.get $from))
                  (v128.load offset=3552 (local.get $from))))
              (v128.xor
                (v128.load offset=2032 (local.get $from))
                (v128.xor
                  (v128.load offset=1824 (local.get $from))
                  (v128.load offset=1792 (local.get $from)))))
            (v128.xor
              (v128.xor
                (v128.load offset=1424 (local.get $from))
                (v128.xor
                  (v128.load offset=1056 (local.get $from))
                  (v128.load offset=1024 (local.get $from))))
              (v128.xor
                (v128.load offset=960 (local.get $from))
                (v128.xor
                  (v128.load offset=896 (local.get $from))
                  (v128.load offset=0 (local.get $from))))))))
      (local.set $at (i32.add (local.get $at) (i32.const 16)))
      (br_if $tails (i32.lt_u (local.tee $tail (i32.add (local.get $tail) (i32.const 16))) (i32.const 106672))))
    (call $slice (i32.const 102528)
      (i32.add (i32.const 106672) (i32.and (local.get $length) (i32.const 15)))
      (i64.const 0))))
