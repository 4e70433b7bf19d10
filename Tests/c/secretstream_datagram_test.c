#include "secretstream/secretstream_datagram.h"

#include <string.h>

#include "test.h"

static hd_secretstream_datagrams datagrams_of(bool is_initiator, const char *counter_start) {
  uint8_t hash[64], start[8];
  hd_test_hex(
      "390f08b1b078de2c7bb0830c7a8d8c4b4d75e1817adac33c94e4557e24aa5d2c"
      "0b046084f502b481c5e7aa58ef14819c49b4eadbbf42060ddca22f929ced74d2",
      hash, sizeof hash);
  hd_test_hex(counter_start, start, sizeof start);
  hd_secretstream_datagrams datagrams;
  hd_secretstream_datagrams_init(&datagrams, hash, is_initiator, start);
  return datagrams;
}

/* Recorded from @hyperswarm/secret-stream. */
TEST(datagram_is_sealed_as_recorded) {
  hd_secretstream_datagrams initiator = datagrams_of(true, "0000000000000000");
  uint8_t expected[32], datagram[29];
  hd_test_hex("1a6b1f5b928f49b3c087c94ded7c3dc60c4321ce31e4340db63a14d42f5165fe", expected, sizeof expected);
  CHECK_BYTES(expected, initiator.send_key, 32);
  hd_test_hex("a08befe7396a0b3fefdc43ca8905f53a924743570d0b107c3dd835f51714f87f", expected, sizeof expected);
  CHECK_BYTES(expected, initiator.receive_key, 32);
  CHECK_INT(HDHT_OK, hd_secretstream_datagram_seal(&initiator, hd_bytes_of("hello", 5), datagram));
  hd_test_hex("01000000000000001501655ddfb4b70712328ddb69f3455232fe57e8cd", expected, sizeof expected);
  CHECK_BYTES(expected, datagram, 29);
}

TEST(datagrams_open_in_any_order_and_again) {
  hd_secretstream_datagrams initiator = datagrams_of(true, "ffffffff00000000");
  const hd_secretstream_datagrams responder = datagrams_of(false, "0000000000000000");
  uint8_t sealed[3][25];
  for (int i = 0; i < 3; i++) {
    CHECK_INT(HDHT_OK, hd_secretstream_datagram_seal(&initiator, hd_bytes_of(&"abc"[i], 1), sealed[i]));
  }
  const int order[] = {2, 0, 2, 1};
  for (int i = 0; i < 4; i++) {
    uint8_t copy[25];
    hd_bytes payload;
    memcpy(copy, sealed[order[i]], sizeof copy);
    CHECK_INT(HDHT_OK, hd_secretstream_datagram_open(&responder, copy, sizeof copy, &payload));
    CHECK(payload.size == 1 && payload.data[0] == "abc"[order[i]]);
  }
}

TEST(datagram_that_is_changed_short_or_reflected_is_refused) {
  hd_secretstream_datagrams initiator = datagrams_of(true, "0000000000000000");
  const hd_secretstream_datagrams responder = datagrams_of(false, "0000000000000000");
  uint8_t sealed[29], copy[29];
  hd_bytes payload = {.size = 99};
  CHECK_INT(HDHT_OK, hd_secretstream_datagram_seal(&initiator, hd_bytes_of("hello", 5), sealed));
  for (size_t i = 0; i < sizeof sealed; i++) {
    memcpy(copy, sealed, sizeof sealed);
    copy[i] ^= 1;
    CHECK_INT(HDHT_ERR_DECRYPTION, hd_secretstream_datagram_open(&responder, copy, sizeof copy, &payload));
    memcpy(copy, sealed, sizeof sealed);
    CHECK_INT(HDHT_ERR_DECRYPTION, hd_secretstream_datagram_open(&responder, copy, i, &payload));
  }
  CHECK_INT(HDHT_ERR_DECRYPTION, hd_secretstream_datagram_open(&initiator, copy, sizeof copy, &payload));
  CHECK_UINT(99, payload.size);
  CHECK_INT(HDHT_OK, hd_secretstream_datagram_open(&responder, copy, sizeof copy, &payload));
  CHECK(payload.data == copy + 24);
}

TEST(datagram_may_be_sealed_in_place) {
  hd_secretstream_datagrams apart = datagrams_of(true, "0000000000000000"), in_place = apart;
  uint8_t expected[29], datagram[40];
  CHECK_INT(HDHT_OK, hd_secretstream_datagram_seal(&apart, hd_bytes_of("hello", 5), expected));
  for (size_t offset = 0; offset <= 35; offset++) {
    in_place.counter = 0;
    memcpy(datagram + offset, "hello", 5);
    CHECK_INT(HDHT_OK, hd_secretstream_datagram_seal(&in_place, hd_bytes_of(datagram + offset, 5), datagram));
    CHECK_BYTES(expected, datagram, 29);
  }
}

TEST(datagram_counter_may_pass_zero_but_not_its_start) {
  hd_secretstream_datagrams datagrams = datagrams_of(true, "ffffffffffffffff");
  uint8_t datagram[24];
  CHECK_INT(HDHT_OK, hd_secretstream_datagram_seal(&datagrams, hd_bytes_of(NULL, 0), datagram));
  CHECK_UINT(0, datagrams.counter);
  datagrams.counter = UINT64_MAX - 2;
  CHECK_INT(HDHT_OK, hd_secretstream_datagram_seal(&datagrams, hd_bytes_of(NULL, 0), datagram));
  CHECK_INT(HDHT_ERR_STREAM_COUNTER, hd_secretstream_datagram_seal(&datagrams, hd_bytes_of(NULL, 0), datagram));
  CHECK_INT(HDHT_ERR_STREAM_COUNTER, hd_secretstream_datagram_seal(&datagrams, hd_bytes_of(NULL, 0), datagram));
}
