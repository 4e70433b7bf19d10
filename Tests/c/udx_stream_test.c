#include "udx/udx_stream.h"

#include "udx_world.h"

/* Sends `bytes` from end 0 to end 1, ends both, and checks that everything arrived and both closed in peace. */
static void transfer(udx_world *world, uint64_t bytes, hd_duration limit) {
  world->ends[0].to_write = bytes;
  world->ends[0].ends_when_done = world->ends[1].ends_when_done = true;
  CHECK(world_run_until_closed(world, limit));
  CHECK_UINT(bytes, world->ends[1].received);
  for (int i = 0; i < 2; i++) {
    CHECK(!world->ends[i].is_corrupt);
    CHECK_UINT(1, world->ends[i].ends);
    CHECK_UINT(1, world->ends[i].closes);
    CHECK_INT(HDHT_OK, world->ends[i].close_reason);
  }
}

TEST(udx_stream_carries_five_bytes_and_closes) {
  udx_world world;
  world_init(&world, 1);
  transfer(&world, 5, HD_SECONDS(1));
  world_destroy(&world);
}

TEST(udx_stream_carries_ten_megabytes) {
  udx_world world;
  world_init(&world, 2);
  transfer(&world, 10 << 20, HD_SECONDS(60));
  world_destroy(&world);
}

TEST(udx_stream_survives_random_loss) {
  udx_world world;
  world_init(&world, 3);
  world.links[0].loss = world.links[1].loss = 0.05;
  transfer(&world, 10 << 20, HD_SECONDS(60));
  world_destroy(&world);
}
