;; The parts of XXH64 and XXH3 whose time follows the length of a body: its stripes change the accumulators. xxhash.ts
;; makes the hash from the accumulators and the last bytes.
;;
;; XXH64 has 4 accumulators of 8 bytes and stripes of 32 bytes. XXH3 has 8 accumulators and stripes of 64 bytes, each
;; mixed with 64 bytes of the secret; 16 stripes are a block, after which the accumulators are scrambled.
;; https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md
;;
;; Memory: the accumulators, the default secret, 64 bytes before the piece, and the piece.
(module
  (memory (export "memory") 2)
  (global (export "secret") i32 (i32.const 64))
  (global (export "piece") i32 (i32.const 1024))
  (global (export "pieceBytes") i32 (i32.const 66560))
  (data (i32.const 64)
    "\b8\fe\6c\39\23\a4\4b\be\7c\01\81\2c\f7\21\ad\1c\de\d4\6d\e9\83\90\97\db\72\40\a4\a4\b7\b3\67\1f"
    "\cb\79\e6\4e\cc\c0\e5\78\82\5a\d0\7d\cc\ff\72\21\b8\08\46\74\f7\43\24\8e\e0\35\90\e6\81\3a\26\4c"
    "\3c\28\52\bb\91\c3\00\cb\88\d0\65\8b\1b\53\2e\a3\71\64\48\97\a2\0d\f9\4e\38\19\ef\46\a9\de\ac\d8"
    "\a8\fa\76\3f\e3\9c\34\3f\f9\dc\bb\c7\c7\0b\4f\1d\8a\51\e0\4b\cd\b4\59\31\c8\9f\7e\c9\d9\78\73\64"
    "\ea\c5\ac\83\34\d3\eb\c3\c5\81\a0\ff\fa\13\63\eb\17\0d\dd\51\b7\f0\da\49\d3\16\55\26\29\d4\68\9e"
    "\2b\16\be\58\7d\47\a1\fc\8f\f8\b8\d1\7a\d0\31\ce\45\cb\3a\8f\95\16\04\28\af\d7\fb\ca\bb\4b\40\7e")

  ;; Changes the accumulators of XXH64 by stripes from the piece's first byte on.
  (func (export "xxh64Stripes") (param $count i32)
    (local $at i32) (local $end i32) (local $a0 i64) (local $a1 i64) (local $a2 i64) (local $a3 i64)
    (local.set $at (i32.const 1024))
    (local.set $end (i32.add (local.get $at) (i32.shl (local.get $count) (i32.const 5))))
    (local.set $a0 (i64.load offset=0 (i32.const 0)))
    (local.set $a1 (i64.load offset=8 (i32.const 0)))
    (local.set $a2 (i64.load offset=16 (i32.const 0)))
    (local.set $a3 (i64.load offset=24 (i32.const 0)))
    (block $done
      (loop $stripes
          (br_if $done (i32.ge_u (local.get $at) (local.get $end)))
          (local.set $a0 (i64.mul (i64.rotl (i64.add (local.get $a0)
            (i64.mul (i64.load offset=0 (local.get $at)) (i64.const 0xc2b2ae3d27d4eb4f))) (i64.const 31)) (i64.const 0x9e3779b185ebca87)))
          (local.set $a1 (i64.mul (i64.rotl (i64.add (local.get $a1)
            (i64.mul (i64.load offset=8 (local.get $at)) (i64.const 0xc2b2ae3d27d4eb4f))) (i64.const 31)) (i64.const 0x9e3779b185ebca87)))
          (local.set $a2 (i64.mul (i64.rotl (i64.add (local.get $a2)
            (i64.mul (i64.load offset=16 (local.get $at)) (i64.const 0xc2b2ae3d27d4eb4f))) (i64.const 31)) (i64.const 0x9e3779b185ebca87)))
          (local.set $a3 (i64.mul (i64.rotl (i64.add (local.get $a3)
            (i64.mul (i64.load offset=24 (local.get $at)) (i64.const 0xc2b2ae3d27d4eb4f))) (i64.const 31)) (i64.const 0x9e3779b185ebca87)))
          (local.set $at (i32.add (local.get $at) (i32.const 32)))
          (br $stripes)))
    (i64.store offset=0 (i32.const 0) (local.get $a0))
    (i64.store offset=8 (i32.const 0) (local.get $a1))
    (i64.store offset=16 (i32.const 0) (local.get $a2))
    (i64.store offset=24 (i32.const 0) (local.get $a3)))

  ;; Changes the accumulators of XXH3 by stripes from $at on. The first is mixed with the secret at $secret, each further
  ;; one with the secret 8 bytes later.
  (func $xxh3Stripes (export "xxh3Stripes") (param $at i32) (param $count i32) (param $secret i32)
    (local $end i32) (local $a0 v128) (local $a1 v128) (local $a2 v128) (local $a3 v128)
    (local $d0 v128) (local $d1 v128) (local $k0 v128) (local $k1 v128) (local $low v128) (local $high v128)
    (local.set $end (i32.add (local.get $at) (i32.shl (local.get $count) (i32.const 6))))
    (local.set $a0 (v128.load offset=0 (i32.const 0)))
    (local.set $a1 (v128.load offset=16 (i32.const 0)))
    (local.set $a2 (v128.load offset=32 (i32.const 0)))
    (local.set $a3 (v128.load offset=48 (i32.const 0)))
    (block $done
      (loop $stripes
          (br_if $done (i32.ge_u (local.get $at) (local.get $end)))
          (local.set $d0 (v128.load offset=0 (local.get $at)))
          (local.set $d1 (v128.load offset=16 (local.get $at)))
          (local.set $k0 (v128.xor (local.get $d0) (v128.load offset=0 (local.get $secret))))
          (local.set $k1 (v128.xor (local.get $d1) (v128.load offset=16 (local.get $secret))))
          (local.set $low (i8x16.shuffle 0 1 2 3 8 9 10 11 16 17 18 19 24 25 26 27 (local.get $k0) (local.get $k1)))
          (local.set $high (i8x16.shuffle 4 5 6 7 12 13 14 15 20 21 22 23 28 29 30 31 (local.get $k0) (local.get $k1)))
          (local.set $a0 (i64x2.add (local.get $a0)
            (i64x2.add (i64x2.extmul_low_i32x4_u (local.get $low) (local.get $high))
              (i8x16.shuffle 8 9 10 11 12 13 14 15 0 1 2 3 4 5 6 7 (local.get $d0) (local.get $d0)))))
          (local.set $a1 (i64x2.add (local.get $a1)
            (i64x2.add (i64x2.extmul_high_i32x4_u (local.get $low) (local.get $high))
              (i8x16.shuffle 8 9 10 11 12 13 14 15 0 1 2 3 4 5 6 7 (local.get $d1) (local.get $d1)))))
          (local.set $d0 (v128.load offset=32 (local.get $at)))
          (local.set $d1 (v128.load offset=48 (local.get $at)))
          (local.set $k0 (v128.xor (local.get $d0) (v128.load offset=32 (local.get $secret))))
          (local.set $k1 (v128.xor (local.get $d1) (v128.load offset=48 (local.get $secret))))
          (local.set $low (i8x16.shuffle 0 1 2 3 8 9 10 11 16 17 18 19 24 25 26 27 (local.get $k0) (local.get $k1)))
          (local.set $high (i8x16.shuffle 4 5 6 7 12 13 14 15 20 21 22 23 28 29 30 31 (local.get $k0) (local.get $k1)))
          (local.set $a2 (i64x2.add (local.get $a2)
            (i64x2.add (i64x2.extmul_low_i32x4_u (local.get $low) (local.get $high))
              (i8x16.shuffle 8 9 10 11 12 13 14 15 0 1 2 3 4 5 6 7 (local.get $d0) (local.get $d0)))))
          (local.set $a3 (i64x2.add (local.get $a3)
            (i64x2.add (i64x2.extmul_high_i32x4_u (local.get $low) (local.get $high))
              (i8x16.shuffle 8 9 10 11 12 13 14 15 0 1 2 3 4 5 6 7 (local.get $d1) (local.get $d1)))))
          (local.set $at (i32.add (local.get $at) (i32.const 64)))
          (local.set $secret (i32.add (local.get $secret) (i32.const 8)))
          (br $stripes)))
    (v128.store offset=0 (i32.const 0) (local.get $a0))
    (v128.store offset=16 (i32.const 0) (local.get $a1))
    (v128.store offset=32 (i32.const 0) (local.get $a2))
    (v128.store offset=48 (i32.const 0) (local.get $a3)))

  ;; Changes the accumulators of XXH3 by whole blocks from the piece's first byte on, and scrambles them after each.
  (func (export "xxh3Blocks") (param $count i32)
    (local $at i32) (local $end i32) (local $a v128)
    (local.set $at (i32.const 1024))
    (local.set $end (i32.add (local.get $at) (i32.shl (local.get $count) (i32.const 10))))
    (block $done
      (loop $blocks
      (br_if $done (i32.ge_u (local.get $at) (local.get $end)))
      (call $xxh3Stripes (local.get $at) (i32.const 16) (i32.const 64))
      (local.set $a (v128.load offset=0 (i32.const 0)))
      (v128.store offset=0 (i32.const 0) (i64x2.mul
        (v128.xor (v128.xor (local.get $a) (i64x2.shr_u (local.get $a) (i32.const 47))) (v128.load offset=192 (i32.const 0)))
        (i64x2.splat (i64.const 0x9e3779b1))))
      (local.set $a (v128.load offset=16 (i32.const 0)))
      (v128.store offset=16 (i32.const 0) (i64x2.mul
        (v128.xor (v128.xor (local.get $a) (i64x2.shr_u (local.get $a) (i32.const 47))) (v128.load offset=208 (i32.const 0)))
        (i64x2.splat (i64.const 0x9e3779b1))))
      (local.set $a (v128.load offset=32 (i32.const 0)))
      (v128.store offset=32 (i32.const 0) (i64x2.mul
        (v128.xor (v128.xor (local.get $a) (i64x2.shr_u (local.get $a) (i32.const 47))) (v128.load offset=224 (i32.const 0)))
        (i64x2.splat (i64.const 0x9e3779b1))))
      (local.set $a (v128.load offset=48 (i32.const 0)))
      (v128.store offset=48 (i32.const 0) (i64x2.mul
        (v128.xor (v128.xor (local.get $a) (i64x2.shr_u (local.get $a) (i32.const 47))) (v128.load offset=240 (i32.const 0)))
        (i64x2.splat (i64.const 0x9e3779b1))))
      (local.set $at (i32.add (local.get $at) (i32.const 1024)))
      (br $blocks)))))
