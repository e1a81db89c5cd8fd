#include <zlib.h>

/* inflateInit2 is a macro that passes the header's version and struct size: Swift cannot import it. */
static inline int tlbreplay_inflateInit2(z_streamp stream, int window_bits) {
  return inflateInit2(stream, window_bits);
}
