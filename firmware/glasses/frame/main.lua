-- On glasses of Brilliant Labs, Frame or Halo: shows the text that the host sends, and tells it of taps.
-- A message comes in packets: [128 + n, length hi, length lo, bytes], then [n, bytes], with n from 0 to 127. Each is answered
-- 0 0 n, or 0 1 n if it is wrong. What begins a message ends one that was not whole.
-- What Lua 5.3 and 5.4 have in common.
local parts = {}
-- Bytes that the message still has; -1 between two.
local left = -1

local function show(text)
  local y = 1
  for line in (text .. "\n"):gmatch("(.-)\n") do
    frame.display.text(line, 1, y)
    y = y + 60
  end
  frame.display.show()
end

local function take(packet)
  local head = packet:byte(1) or 0
  local number = string.char(head % 128)
  local bytes = packet:sub(2)
  if head > 127 then
    parts, left = {}, #packet < 3 and -1 or packet:byte(2) * 256 + packet:byte(3)
    bytes = packet:sub(4)
  end
  if #bytes > left then
    parts, left = {}, -1
    frame.bluetooth.send("\0\1" .. number)
    return
  end
  left = left - #bytes
  parts[#parts + 1] = bytes
  if left == 0 then
    local text = table.concat(parts)
    parts, left = {}, -1
    show(text)
    -- The heap of Frame is small.
    collectgarbage()
  end
  frame.bluetooth.send("\0\0" .. number)
end

function start()
  parts, left = {}, -1
  frame.bluetooth.receive_callback(take)
  frame.imu.tap_callback(function() frame.bluetooth.send("tap") end)
  show("Ready.")
end
