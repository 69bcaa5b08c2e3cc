# The original's session in iex, and what else people send: run against a room in Elixir and against ours, it must
# print the same lines.

michael = Client.join_room(room, "Michael")
Client.post_message(michael, room, "Hello!")
Client.wait(michael, "Michael says: Hello!")

mikey = Client.join_room(room, "Mikey")
Client.wait(michael, "Mikey has joined the room")
Client.post_message(mikey, room, "Hi, Michael!")
Client.wait(michael, "Mikey says: Hi, Michael!")
Client.wait(mikey, "Mikey says: Hi, Michael!")

# A charlist with and without characters beyond Latin-1, a binary that is not Latin, the empty string.
for text <- [~c"charlist", ~c"Grüß Gott", ~c"日本語 charlist", "日本語", "Привет, 🌍", ""] do
  Client.post_message(mikey, room, text)
  Client.wait(michael, "Mikey says: #{text}")
  Client.wait(mikey, "Mikey says: #{text}")
end

# A name may be a charlist, too.
anna = Client.join_room(room, ~c"Änna")
Client.wait(michael, "Änna has joined the room")
Client.wait(mikey, "Änna has joined the room")

# Somebody who never joined is not heard.
stranger = spawn(fn -> Process.sleep(:infinity) end)
Client.post_message(stranger, room, "I am nobody")

# Whoever is killed has left.
Process.exit(anna, :kill)
Client.wait(michael, "Änna has left the room")
Client.wait(mikey, "Änna has left the room")
Client.post_message(michael, room, "Goodbye!")
Client.wait(michael, "Michael says: Goodbye!")
Client.wait(mikey, "Michael says: Goodbye!")
