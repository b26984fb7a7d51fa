/* Included first by files that run once a call or once a pack, or cost little beside the decoder: there bytes of code count for more than instructions. */
#if defined __GNUC__ && !defined __clang__
#pragma GCC optimize("Os")
#endif
