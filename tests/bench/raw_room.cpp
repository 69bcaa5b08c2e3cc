// The measuring stick for 05: a chat room in one thread over epoll.
#include "stick_room.hpp"

using namespace bench::stick;

int main(int argc, char** argv) {
    Room(start(argc, argv, "A chat room, one thread over epoll").socket).serve();
}
