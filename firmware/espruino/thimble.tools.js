/* Written by: thimble tools pack. 12 tools, 655 bytes. */
exports.hash = "2f2e448a6557622f";
exports.bytes = atob("3AAQ/toCBABzCAZyAFN0DhEgY291bnRkb3duIAZyAmR1FnRpDwBMZW5ndGgFMTAgbRJ1BHMiAnMIYWxhcm0AU2V0EW4RbGFybQIGAFRpbWUFNxFtIgJkDURheQUZbW9ycm93IgJmEmRfcGgPZQBNYWtlAXBoD2UgchJnIBkgZhJkIGl0AnZpYnINVmliFgQBd2EYAgYXSAsGcwJnCHMEcBdUZWxsIGgLcwRwcyB3ZQwgd2Fsa2VkIBlkYXkCZwhoZQ5fcg1NZWFzdQwBaGUOIBYEAnMIYgMAU2V0AWIDFAFzYwxlbgIQAEIDIBIgEAJjB18VAEMHARUCYWN0aQ8AcGxheQBwYXVzZQBuZXh0AHAMdmlvdRdsb3VkZXIAcXVpZQRyAAoAQwcBCgJzdA4AcxlwAAxzZXQADGFkAHRha2VfCQBXcmkEIGRvd24RIAkCBHh0AFRleHQUAQkCE19ncBdTd2kYIEdQUyATEmcgDyBvchRmAnN0DQ8Ab2ZmAGUWc2VfCRdFFnNlEWxsIAlzLgEgdGhlIAIuAANyaWdodG5lc3MEdGUFLCBlLmcuICIGdGltZQcPdHJvbAhldF8Jbm8ECnMZcHdhGAtvdyBtYW55IAxyZQ1hBAAOYXJ0D29uEHBlcmNlbnQRIGESaW4TDGNvcmQUIG9mFW11c2ljFnJhF3MAGHRjaBl0b7kZGBcWFRQTEhEQDw4NDAsKCQgHBgUEAwIBwJQA/wGTAu8DlQT/BZMG7weTCP8Jkwr/C5QM/w2VDvsP/vWTEP8RkxL/E5QU/xWVFusX/9CblBj/GZka58AbHB0eHyCUIf8ilxrnwCMkJSaUJ/8olSnuKsDR/zeUK/4slS3nwC4vkzD9MQ==");
exports.tools = [
 ["set_timer",0,[["duration",17,[0,null]]]],
 ["set_alarm",0,[["time",17,[0,null]],["date",1,[0,null]]]],
 ["find_phone",0,[]],
 ["vibrate",0,[["times",4,[1,10,null,0]]]],
 ["get_steps",0,[]],
 ["get_heart_rate",0,[]],
 ["set_brightness",0,[["percent",20,[0,100,null,0]]]],
 ["control_music",0,[["action",25,["play","pause","next","previous","louder","quieter"]]]],
 ["stopwatch",0,[["action",25,["start","stop","reset","read"]]]],
 ["take_note",0,[["text",17,[0,200]]]],
 ["record_gps",1,[["state",25,["on","off"]]]],
 ["erase_notes",2,[]]
];
