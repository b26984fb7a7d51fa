import type { Domain } from "../tool.ts";

export const media: Domain = {
  chat: ["I love {genre}", "{artist} is overrated", "music was better in the {weekday} show", "do you like {genre}", "I played the piano as a kid", "what is {genre} anyway", "my speakers are old", "this song reminds me of {city}"],
  tools: {
    play_music: {
      names: "play start_music play_song listen music_play", like: "playing", about: "Play music. | Start playing a song, an artist, an album or a genre. | Listen to music.",
      takes: {
        "song/track/title": "song? Song title. | Title of the track.", "artist/by/band": "artist? Artist or band. | Who plays it.", "album": "album? Album title.", "genre/style": "genre? Genre. | Style of music.",
        "service/app/on": "service? Music service.", "room/speaker/where": "room? Room to play in.",
      },
      say: [
        "play {song}", "play {song} by {artist}", "play( some) {genre}( music)", "play( something by| music by) {artist}", "put on( some) {genre}", "play the album {album}( by {artist})", "I want to [hear|listen to] {artist}", "play {song}( by {artist}) on {service}",
        "put on {song}", "listen to {song}", "start (playing )some {genre}", "play {genre} in the {room}", "play music( in the {room})", "music please", "play {artist}", "let's hear( some) {artist}", "throw on {album}", "can we have {song} by {artist}",
        "play {song}, the one by {artist}", "blast some {genre}", "play {album} by {artist} in the {room}", "queue up some {genre} on {service}",
      ],
      hint: ["I'm in the mood for {genre}", "it's too quiet in the {room}", "some {genre} would be nice now", "I've had {song} stuck in my head, let me hear it"],
    },
    play_playlist: {
      names: "start_playlist open_playlist playlist", like: "playing", about: "Play a playlist.", takes: { "playlist/name": "playlist! Name of the playlist.", "shuffle/random": "flag? Whether to shuffle.", "service/app": "service? Music service." },
      say: ["play [my|the] {playlist} playlist", "play my playlist {playlist}( on {service})", "shuffle [my|the] {playlist} playlist{shuffle=true}", "start the playlist {playlist}", "put on [my|the] {playlist} playlist( on shuffle{shuffle=true})", "play a playlist", "open my {playlist} list on {service}"],
    },
    play_podcast: {
      names: "podcast start_podcast listen_podcast", about: "Play a podcast. | Play an episode of a podcast.", takes: { "podcast/name/show": "podcast! Name of the podcast.", "episode/which": "<latest=latest/newest|next|previous>? Which episode." },
      say: ["play( the podcast) {podcast}", "play the {episode} episode of {podcast}", "put on {podcast}( podcast)", "I want to listen to the {podcast} podcast", "{episode} episode of {podcast}( please)", "start the podcast {podcast}", "play a podcast"], like: "playing",
    },
    play_radio: {
      names: "radio tune_radio start_radio", about: "Play a radio station. | Tune to a station.", takes: { "station/channel/name": "station! Station name or frequency." }, like: "playing",
      say: ["[play|tune to|turn on|put on|switch to] {station}", "radio {station}", "turn the radio to {station}", "I want to hear {station} on the radio", "listen to {station}", "turn on the radio"],
    },
    play_audiobook: {
      names: "audiobook read_book listen_audiobook", about: "Play an audiobook.", takes: { "title/book": "show! Title of the book.", "chapter": "smallInteger? Chapter." }, like: "playing",
      say: ["read( me) {title}", "play the audiobook {title}( from chapter {chapter})", "[continue|resume] [the book|the audiobook] {title}", "play chapter {chapter} of {title}", "put on the audiobook {title}", "play my audiobook"],
    },
    pause_media: { names: "pause pause_music stop_music hold_playback", about: "Pause what is playing. | Pause playback.", like: "stopping", say: ["pause( the)( music| song| playback| this)", "hold the music", "stop playing", "stop( the music| the song| this)", "pause that", "freeze playback", "shush the music"], hint: ["I need silence for a second", "I can't hear them over this song"] },
    resume_media: { names: "resume continue_playing unpause play_resume", about: "Resume what was playing. | Continue playback.", say: ["[resume|continue]( the)( music| song| playback| playing)", "unpause( the music)", "keep playing", "play again where I left off", "carry on with the music", "go on playing"] },
    next_track: { names: "skip next_song skip_song media_next", about: "Skip to the next track. | Next song.", say: ["next( song| track| one)( please)", "skip( this| this song| it)", "play the next [song|track]", "another song", "skip ahead one song", "go to the next track"], hint: ["I don't like this song", "I've heard this one too often", "not this one again"] },
    previous_track: { names: "last_song back media_previous previous_song", about: "Go back to the previous track.", say: ["previous( song| track| one)", "play that again", "go back( one song| a track)", "play the last song again", "back to the song before", "repeat the previous song"] },
    set_volume: {
      names: "volume change_volume volume_set", like: "loudness", about: "Set the volume to a level. | Set how loud it is, in percent.", takes: { "level/volume/percent": "percent! Volume from 0 to 100. | Volume in percent.", "device/speaker/target": "gadget? Which device." },
      say: ["[set|turn|put|change]( the) volume to {level}( percent|%)", "volume {level}( percent|%)", "volume at {level}", "set {device} to volume {level}", "make it {level} percent loud", "put the volume [at|on] {level}( on {device})", "set the volume"],
    },
    adjust_volume: {
      names: "volume_change turn_volume louder_quieter volume_step", like: "loudness", about: "Turn the volume up or down. | Make it louder or quieter.", takes: { "direction/way/change": "<up|down>! Up or down. | Which way.", "amount/by/step": "percent? By how much, in percent." },
      say: ["(turn)( it| the volume| the music) {direction}", "turn( the)( volume| sound| music) {direction}( by {amount}( percent))", "volume {direction}( {amount})", "louder( please){direction=up}", "quieter( please){direction=down}", "make it louder{direction=up}", "make it [quieter|softer]{direction=down}", "bring the volume {direction}( by {amount})", "crank it up{direction=up}", "lower the volume( by {amount}( percent)){direction=down}", "raise the volume( by {amount}( percent)){direction=up}"],
      hint: ["I can't hear anything{direction=up}", "that's way too loud{direction=down}", "my ears hurt{direction=down}", "speak up{direction=up}"],
    },
    mute: { names: "mute_sound mute_audio silence", about: "Mute the sound. | Turn the sound off.", like: "loudness", takes: { "muted/on": "flag! Whether the sound is off." }, say: ["mute( the)( sound| audio| speaker){muted=true}", "unmute( the)( sound| audio){muted=false}", "turn the sound off{muted=true}", "sound back on{muted=false}", "silence{muted=true}"] },
    identify_song: { names: "what_song song_info recognize_song shazam", about: "Tell which song is playing. | Recognise the music around.", say: ["what['s| is] this song", "what song is [this|playing]", "who [sings|plays] this", "name that tune", "identify this( song)", "what am I listening to", "which song is that", "shazam this"], hint: ["I know this tune but can't place it"] },
    set_shuffle: { names: "shuffle shuffle_mode toggle_shuffle", about: "Turn shuffle on or off.", takes: { "enabled/on/shuffle": "flag! Whether to shuffle." }, say: ["(turn )shuffle {enabled}", "shuffle( the music| my songs){enabled=true}", "turn {enabled} shuffle", "play in order{enabled=false}", "no more shuffling{enabled=false}", "mix up the songs{enabled=true}"] },
    set_repeat: { names: "repeat loop repeat_mode", about: "Set the repeat mode.", takes: { "mode/what": "<off|one|all>! What to repeat." }, say: ["repeat this song{mode=one}", "loop this( track){mode=one}", "repeat {mode}", "set repeat to {mode}", "repeat the whole playlist{mode=all}", "stop repeating{mode=off}", "keep this song on loop{mode=one}"] },
    like_song: { names: "favorite love_song thumbs_up add_favorite", about: "Like the song that is playing. | Add this song to favorites.", say: ["[like|love|favorite] this( song| one| track)", "thumbs up", "add this( song) to (my )favorites", "save this song", "I love this song, remember it", "heart this track"] },
    add_to_playlist: { names: "playlist_add save_to_playlist put_on_playlist", about: "Add a song to a playlist.", takes: { "song/track": "song? Song; what is playing if left out.", "playlist/name": "playlist! Which playlist." }, say: ["add( this( song)) to [my|the] {playlist} playlist", "put {song} on [my|the] {playlist} playlist", "add {song} to {playlist}", "save {song} in the {playlist} playlist", "{song} should go into {playlist}", "add {song} to a playlist"] },
    seek: { names: "skip_seconds jump scrub fast_forward", about: "Jump forward or backward in what is playing.", takes: { "direction/way": "<forward=forward/ahead|back=back/backwards>! Which way.", "seconds/amount": "seconds! How many seconds." }, say: ["[skip|jump|go] {direction} {seconds} seconds", "{seconds} seconds {direction}", "rewind {seconds} seconds{direction=back}", "fast forward {seconds} seconds{direction=forward}", "go {direction} by {seconds} seconds", "jump {direction}"] },
    sleep_timer: { names: "stop_playing_after music_timer media_sleep", about: "Stop playing after some time.", takes: { "duration/after": "duration! After how long." }, say: ["stop [playing|the music] in {duration}", "[set|start] a sleep timer for {duration}", "sleep timer {duration}", "turn the music off after {duration}", "set a sleep timer"], hint: ["I'll be asleep in {duration}, no music then"] },
    watch_show: { names: "play_video stream_show play_movie watch", about: "Play a show or a film on the TV.", takes: { "title/name": "show! Title.", "season": "smallInteger? Season.", "episode": "smallInteger? Episode." }, say: ["(I want to )watch {title}", "play {title}( season {season})( episode {episode}) on the TV", "put {title} on the TV", "stream {title}", "season {season} episode {episode} of {title}", "start {title} on the big screen", "watch something"] },
    cast: { names: "play_on transfer_playback switch_output", about: "Move playback to another device.", takes: { "device/to/target": "gadget! Where to play." }, say: ["[cast|send|move|switch]( this| the music| playback| audio) to {device}", "play this on {device}", "continue on {device}", "switch the sound over to {device}", "cast this"] },
    play_game: { names: "start_game game open_game", about: "Start a game.", takes: { "game/name": "game! Which game." }, say: ["(let's )play( a game of) {game}", "start( a game of) {game}", "I want to play {game}", "open the {game} game", "play a game"], like: "playing" },
  },
};
