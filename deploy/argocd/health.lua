-- The health of each kind of privatelink.dev: Healthy is what Ready means, and nothing else is.
-- Suspended: it waits for a person who was to be asked. Degraded: it waits for a person who has to mend something.
local hs = {status = "Progressing", message = ""}
local waits_to_be_asked = {
  Paused = true, DrainApprovalNeeded = true, SwapApprovalNeeded = true, AdoptionApprovalNeeded = true,
}
local status = obj.status or {}
local is = {}
for _, condition in ipairs(status.conditions or {}) do
  if condition.status == "True" or condition.type == "Ready" then
    is[condition.type] = condition
  end
end
local function says(condition)
  return condition.reason .. ": " .. (condition.message or "")
end
if obj.metadata.deletionTimestamp ~= nil then
  hs.message = "it is being deleted"
  if is.Ready ~= nil and is.Ready.status ~= "True" then
    hs.message = hs.message .. ": " .. says(is.Ready)
  end
elseif status.observedGeneration ~= obj.metadata.generation or is.Ready == nil then
  hs.message = "nobody has looked at this spec yet"
elseif waits_to_be_asked[is.Ready.reason] then
  hs.status = "Suspended"
  hs.message = says(is.Ready)
elseif is.Stalled ~= nil then
  hs.status = "Degraded"
  hs.message = says(is.Stalled)
elseif is.Reconciling ~= nil then
  hs.message = says(is.Reconciling)
else
  hs.status = is.Ready.status == "True" and "Healthy" or "Progressing"
  hs.message = says(is.Ready)
end
return hs
