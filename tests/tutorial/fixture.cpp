// What fixture.md quotes.

/// Twice as much.
int twice(int number) {
    if (number == 0) {
        return 0;
    }
    return 2 * number;
}

/// Three times as much.
int thrice(int number) {
    if (number == 0) {
        return 0;
    }
    return 3 * number;
}
